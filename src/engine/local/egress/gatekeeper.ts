/** Decides on every connection a sprite asks for, remembers the open ones, and keeps a log of its verdicts. */
import { lookup } from 'node:dns/promises';
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import type { NetworkRule } from '../../policy.ts';
import { publicAddresses } from './addresses.ts';
import { judge, normaliseName } from './rules.ts';

const MAX_LOG_BYTES = 4 * 1024 * 1024;
const RESOLVE_TIMEOUT_MS = 10_000;

export interface Target {
  readonly host: string;
  readonly port: number;
}

export type Admission =
  | { readonly isAllowed: true; readonly name: string; readonly address: string }
  | { readonly isAllowed: false; readonly reason: string };

export interface GatekeeperOptions {
  /** Asked for each connection: changes are in force at once. */
  readonly rules: () => readonly NetworkRule[];
  readonly logFile: string;
  /** All addresses of a name. */
  readonly resolve?: ((name: string) => Promise<readonly string[]>) | undefined;
}

/** An open connection; `cut` when its name is no longer allowed. */
interface Connection {
  readonly name: string;
  readonly cut: () => void;
}

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #isPublic = publicAddresses();
  readonly #open = new Set<Connection>();

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** `ports`: those that the caller's protocol may use. */
  async admit({ host, port }: Target, ports: readonly number[]): Promise<Admission> {
    const name = normaliseName(host);
    if (name === null) return this.#deny(host, port, 'an address, not a name', null);
    if (!ports.includes(port))
      return this.#deny(name, port, `port ${port} is not one of ${ports.join(', ')}`, null);
    const verdict = judge(this.#options.rules(), name);
    if (!verdict.isAllowed) return this.#deny(name, port, 'no rule allows it', verdict.rule);
    const addresses = await this.#resolve(name);
    const address = addresses.find(this.#isPublic);
    if (address === undefined) {
      const reason = addresses.length === 0 ? 'the name is not known' : 'the name leads to a private address';
      return this.#deny(name, port, reason, verdict.rule);
    }
    this.#log({ verdict: 'allow', host: name, port, rule: verdict.rule, address });
    return { isAllowed: true, name, address };
  }

  /** A refusal that shows only once the client speaks (another server name, say). */
  refuse(host: string, port: number, reason: string): void {
    this.#deny(host, port, reason, null);
  }

  /** Until the returned function is called, `cut` is called should the name be denied. */
  track(name: string, cut: () => void): () => void {
    const connection = { name, cut };
    this.#open.add(connection);
    return () => this.#open.delete(connection);
  }

  /** Cuts what the present rules no longer allow. */
  review(): void {
    const rules = this.#options.rules();
    for (const { name, cut } of this.#open) {
      if (judge(rules, name).isAllowed) continue;
      this.#log({ verdict: 'cut', host: name, reason: 'the rules changed' });
      cut();
    }
  }

  #deny(host: string, port: number, reason: string, rule: string | null): Admission {
    this.#log({ verdict: 'deny', host: host.slice(0, 300), port, rule, reason });
    return { isAllowed: false, reason };
  }

  async #resolve(name: string): Promise<readonly string[]> {
    const resolve = this.#options.resolve ?? systemResolve;
    try {
      return await resolve(name);
    } catch (error) {
      if (errnoOf(error) !== undefined) return [];
      throw error;
    }
  }

  #log(entry: Record<string, unknown>): void {
    const { logFile } = this.#options;
    try {
      if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES)
        renameSync(logFile, `${logFile}.1`);
      appendFileSync(logFile, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`, {
        mode: 0o600,
      });
    } catch (error) {
      // A full disk or a sprite on its way out: the verdict stands without its line.
      if (errnoOf(error) === undefined) throw error;
    }
  }
}

async function systemResolve(name: string): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('no answer'), { code: 'ETIMEOUT' })),
      RESOLVE_TIMEOUT_MS,
    );
  });
  try {
    const found = await Promise.race([lookup(name, { all: true, verbatim: true }), late]);
    return found.map(({ address }) => address);
  } finally {
    clearTimeout(timer);
  }
}
