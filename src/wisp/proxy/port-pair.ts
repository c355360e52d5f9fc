import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

export interface PortPair {
  /** 0: any that is free. */
  readonly local: number;
  readonly remote: number;
}

const MAX_PORT = 65_535;

/** `8080` or `3000:8080`, `0:8080`. Throws `USAGE`. */
export function portPair(text: string): PortPair {
  const [, first = '', , second] = /^(\d{1,5})(:(\d{1,5}))?$/.exec(text) ?? [];
  const remote = Number(second ?? first);
  const local = Number(first);
  if (first !== '' && remote >= 1 && remote <= MAX_PORT && local <= MAX_PORT) return { local, remote };
  throw new WreckitError(
    'USAGE',
    `${quote(text)} is not a port such as "8080", nor two such as "3000:8080" (here:there)`,
  );
}

/** One port here can lead to one place. Throws `USAGE`. */
export function assertDistinct(pairs: readonly PortPair[]): void {
  const used = pairs.map(({ local }) => local).filter((local) => local !== 0);
  const twice = used.find((local, index) => used.indexOf(local) !== index);
  if (twice === undefined) return;
  throw new WreckitError('USAGE', `proxy: port ${twice} of this machine is named twice`, {
    hint: `give one of them another port: ${twice === MAX_PORT ? twice - 1 : twice + 1}:REMOTE, or 0:REMOTE for any`,
  });
}
