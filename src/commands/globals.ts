/** The flags every verb of `wreckit` accepts. */

import type { GlobalOption, VerbContext, VerbModule } from '../cli/verb.ts';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

/** A type, not an interface: those are no records of anything. */
export type WreckitGlobals = {
  readonly json?: boolean;
  /** As given; the resolved directory is the context's `cwd`. */
  readonly cwd?: string;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  /** False under `--no-input`. */
  readonly input: boolean;
  readonly dryRun?: boolean;
  /** A file read instead of the project's own files. */
  readonly config?: string;
  readonly engine?: string;
};

export type WreckitVerb<
  O extends object = Record<never, never>,
  A extends readonly unknown[] = readonly [],
> = VerbModule<O, A, WreckitGlobals>;

export type WreckitContext<
  O extends object = Record<never, never>,
  A extends readonly unknown[] = readonly [],
> = VerbContext<O, A, WreckitGlobals>;

export const globalOptions: readonly GlobalOption[] = [
  { flags: '--json', description: 'Print one JSON document on stdout' },
  { flags: '--cwd <dir>', description: 'Run as if started in this directory' },
  { flags: '--config <file>', description: "Use this configuration file instead of the project's" },
  {
    flags: '--engine <engine>',
    description: 'Engine to use: local or cloud',
    parse: parseEngine,
  },
  { flags: '--dry-run', description: 'Change nothing; print what would be done' },
  { flags: '--no-input', description: 'Never prompt' },
  { flags: '-q, --quiet', description: 'No warnings or progress on stderr' },
  { flags: '-v, --verbose', description: 'Print more detail on stderr' },
];

function parseEngine(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new WreckitError('USAGE', `engine: ${quote(text)} is not the name of an engine such as "local"`);
}
