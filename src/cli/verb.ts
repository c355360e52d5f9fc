/**
 * What a verb is. One file per verb, one line in the program's verb table.
 *
 *   // src/commands/sprite/stop.ts
 *   import type { WreckitVerb } from '../globals.ts';
 *
 *   export const verb: WreckitVerb<{ grace: number }, [sprite: string]> = {
 *     define: (command) =>
 *       command
 *         .argument('<sprite>', 'Name of the sprite', assertSpriteName)   // parsers throw WreckitError
 *         .option('--grace <duration>', 'how long processes may take', parseDurationMs, 10_000),
 *     examples: [['wreckit sprite stop demo', 'puts the sprite "demo" to sleep']],
 *     async run({ args: [sprite], options, signal, globals, io, cwd }) {
 *       const stopped = await runnerOf(...).stop(sprite, { signal, graceMs: options.grace });
 *       return { data: { sprite: stopped }, text: `stopped ${sprite}` };  // --json prints data, else text
 *     },
 *   };
 *
 *   // src/commands/index.ts
 *   { name: 'stop', summary: 'put a sprite to sleep', load: async () => (await import('./sprite/stop.ts')).verb },
 *
 * A verb that passes bytes through (exec, logs, fs read) writes them with `await io.stdout.write(chunk)` and
 * returns `{ exitCode }` alone. What it throws is printed once, by the program. `rest` declares what comes
 * after `--`; it reaches `run` unparsed. An argument called `sprite` is completed with sprite names, one
 * called `file` or `dir` with paths. Only the module of the verb called is ever loaded.
 */
import type { Command } from 'commander';
import type { WreckitError } from '../errors.ts';
import type { Io } from './io.ts';

export interface VerbContext<O extends object, A extends readonly unknown[], G extends object> {
  readonly io: Io;
  /** `--cwd` where the program has that flag, else the working directory; absolute. */
  readonly cwd: string;
  /** The verb's words: "sprite list". */
  readonly verb: string;
  readonly globals: G;
  readonly options: O;
  readonly args: A;
  /** What stood after `--`, untouched; empty when nothing did. */
  readonly rest: readonly string[];
  /** True under `--json`: stdout belongs to the one document. */
  readonly json: boolean;
  /** Aborted by SIGINT, SIGTERM and SIGHUP, with an `InterruptedError` as reason. */
  readonly signal: AbortSignal;
  /** What a second signal still does before the process ends; briefly, it is not waited for long. */
  readonly onForce: (act: () => Promise<unknown>) => void;
  /** What the user types instead of "wreckit sprite": the verbs are another program's. */
  readonly calledAs?: string | undefined;
  /** A warning for people, on stderr; silent under `--quiet`. */
  readonly warn: (text: string) => Promise<void>;
}

export interface TextFormat {
  /** Width to fit tables into; null: no limit. */
  readonly columns: number | null;
  readonly color: boolean;
}

export interface VerbResult {
  /** What `--json` prints as `data`. Absent: the verb has written its own output. */
  readonly data?: unknown;
  /** What people see; a last newline is added. Absent or empty: nothing. */
  readonly text?: string | ((format: TextFormat) => string);
  /** 0 when absent. */
  readonly exitCode?: number;
}

export interface RestArguments {
  /** As it stands in the usage line: `command...`. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

export interface VerbModule<
  O extends object = object,
  A extends readonly unknown[] = readonly unknown[],
  G extends object = object,
> {
  /** Adds the verb's arguments and options. Global options are added by the program. */
  define(command: Command): unknown;
  /** `[command line, what it does]`, shown in the help; at least one. */
  readonly examples: readonly (readonly [commandLine: string, does: string])[];
  readonly rest?: RestArguments;
  run(context: VerbContext<O, A, G>): Promise<VerbResult>;
  /** The exit code for an error where it is not the code's own: `exec` answers 125 for the engine's. */
  exitCodeOf?(error: WreckitError): number;
}

interface EntryBase {
  readonly name: string;
  readonly summary: string;
  /** Heading in the program's help. */
  readonly section?: string;
  readonly hidden?: boolean;
}

export interface VerbEntry extends EntryBase {
  readonly load: () => Promise<VerbModule>;
}

export interface VerbGroup extends EntryBase {
  readonly verbs: readonly VerbNode[];
  /** The verb meant when none is named: `wreckit runs` is `wreckit runs list`. */
  readonly defaultVerb?: string;
}

export type VerbNode = VerbEntry | VerbGroup;

export function isVerbGroup(node: VerbNode): node is VerbGroup {
  return 'verbs' in node;
}

/** A flag every verb accepts, before it or after it. `flags` in commander's notation: `-q, --quiet`. */
export interface GlobalOption {
  readonly flags: string;
  readonly description: string;
  readonly parse?: (text: string) => unknown;
}
