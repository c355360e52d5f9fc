/**
 * Runs one command line of a program:
 *
 *   argv → findVerb (verb table only) → load that verb's module → parsePlainly, or parseVerb (commander) → run → print
 *
 * Whatever happens comes back as an exit code; under `--json` stdout carries exactly one document, also for
 * usage errors. Verbs and how to write one: verb.ts.
 */
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import { type FoundVerb, findVerb, splitAtDashes } from './find-verb.ts';
import type { Io } from './io.ts';
import { namedAs, type OutputMode, printFailure, printResult, say } from './output.ts';
import { parsePlainly } from './parse-plainly.ts';
import type { ParseRequest } from './parse-verb.ts';
import { shownMessage } from './shown-text.ts';
import type { GlobalOption, VerbModule, VerbNode, VerbResult } from './verb.ts';

export interface Program {
  readonly name: string;
  readonly summary: string;
  /** Read only when asked for. */
  readonly version: () => string;
  readonly verbs: readonly VerbNode[];
  readonly globalOptions: readonly GlobalOption[];
  /** What the user types instead of "wreckit sprite": help and hints say so. */
  readonly calledAs?: string | undefined;
}

export interface ProgramCall extends Program {
  /** Without the program's name. */
  readonly argv: readonly string[];
  readonly io: Io;
  /** Aborted when the program is to end early (see signals.ts). */
  readonly signal?: AbortSignal | undefined;
  /** See `VerbContext.onForce`. */
  readonly onForce?: ((act: () => Promise<unknown>) => void) | undefined;
  /** Rejects when something failed that no verb waits for. */
  readonly fault?: Promise<never> | undefined;
}

export async function runProgram(call: ProgramCall): Promise<number> {
  const { head } = splitAtDashes(call.argv);
  let mode: OutputMode = {
    io: call.io,
    verb: call.name,
    json: head.includes('--json'),
    verbose: head.includes('--verbose'),
    signal: call.signal ?? new AbortController().signal,
    calledAs: call.calledAs,
  };
  let module: VerbModule | undefined;
  try {
    const found = findVerb(call.name, call.verbs, call.globalOptions, call.argv);
    mode = { ...mode, verb: found.path.join(' ') || call.name };
    module = await found.entry?.load();
    const result =
      module === undefined
        ? await answerWithoutVerb(call, found, mode)
        : await runVerb(call, found, module, mode);
    return await printResult(mode, result);
  } catch (thrown) {
    return await printFailure(mode, thrown, module?.exitCodeOf?.bind(module));
  }
}

async function answerWithoutVerb(call: ProgramCall, found: FoundVerb, mode: OutputMode): Promise<VerbResult> {
  const { args, path, nodes, group } = found;
  const name = [call.name, ...path].join(' ');
  if (path.length === 0 && (args.includes('--version') || args.includes('-V'))) {
    const version = call.version();
    return { data: { name: call.name, version }, text: `${call.name} ${version}` };
  }
  const isHelpAsked = args.includes('--help') || args.includes('-h');
  if (isHelpAsked || (args.length === 0 && found.rest === null)) {
    const { groupHelp } = await import('./help.ts');
    const subject = {
      program: call.name,
      summary: group?.summary ?? call.summary,
      path,
      nodes,
      globalOptions: call.globalOptions,
    };
    return { data: { help: groupHelp(subject, 100) }, text: ({ columns }) => groupHelp(subject, columns) };
  }
  throw new WreckitError('USAGE', `${name}: no command given`, {
    hint: `list all commands: ${mode.verb === call.name ? call.name : name} --help`,
  });
}

async function runVerb(
  call: ProgramCall,
  found: FoundVerb,
  module: VerbModule,
  mode: OutputMode,
): Promise<VerbResult> {
  const request: ParseRequest = {
    name: `${call.name} ${mode.verb}`,
    summary: found.entry?.summary ?? '',
    module,
    globalOptions: call.globalOptions,
    args: found.args,
    rest: found.rest,
    get columns() {
      return call.io.stdout.columns;
    },
  };
  const parsed = parsePlainly(request) ?? (await import('./parse-verb.ts')).parseVerb(request);
  if (parsed.kind === 'help') {
    const help = namedAs(parsed.text, call.calledAs);
    return { data: { help }, text: help };
  }
  mode.signal.throwIfAborted();
  const { io } = call;
  const { globals } = parsed;
  const run = module.run({
    io,
    cwd: workingDirectory(io, globals.cwd),
    verb: mode.verb,
    globals,
    options: parsed.options,
    args: parsed.args,
    rest: parsed.rest,
    json: mode.json,
    signal: mode.signal,
    onForce: call.onForce ?? (() => undefined),
    calledAs: call.calledAs,
    warn: async (text) => {
      if (globals.quiet !== true) await say(io, `warning: ${shownMessage(text)}\n`);
    },
  });
  return await (call.fault === undefined ? run : Promise.race([run, call.fault]));
}

/** Throws `USAGE` for a `--cwd` that is no directory. */
function workingDirectory(io: Io, cwd: unknown): string {
  if (typeof cwd !== 'string') return io.cwd;
  const directory = isAbsolute(cwd) ? resolve(cwd) : resolve(io.cwd, cwd);
  if (cwd !== '' && statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
  throw new WreckitError('USAGE', `--cwd: ${quote(cwd)} is not a directory`, {
    hint: 'give the path of a directory',
  });
}
