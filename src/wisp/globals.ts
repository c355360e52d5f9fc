/** The flags every verb of `wisp` accepts. */
import type { GlobalOption, VerbContext, VerbModule } from '../cli/verb.ts';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

export type EngineName = 'local' | 'cloud';

/** A type, not an interface: those are no records of anything. */
export type WispGlobals = {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False under `--no-input`. No verb of wisp asks anything; scripts may pass it to both programs alike. */
  readonly input: boolean;
  readonly engine?: EngineName;
};

export type WispVerb<
  O extends object = Record<never, never>,
  A extends readonly unknown[] = readonly [],
> = VerbModule<O, A, WispGlobals>;

export type WispContext<
  O extends object = Record<never, never>,
  A extends readonly unknown[] = readonly [],
> = VerbContext<O, A, WispGlobals>;

export const globalOptions: readonly GlobalOption[] = [
  { flags: '--json', description: 'Print one JSON document on stdout' },
  { flags: '--engine <name>', description: 'Engine to use: local or cloud', parse: parseEngine },
  { flags: '--no-input', description: 'Never prompt' },
  { flags: '-q, --quiet', description: 'No warnings on stderr' },
  { flags: '-v, --verbose', description: 'Print more detail on stderr' },
];

function parseEngine(text: string): EngineName {
  if (text === 'local' || text === 'cloud') return text;
  throw new WreckitError('USAGE', `engine: ${quote(text)} is neither "local" nor "cloud"`);
}
