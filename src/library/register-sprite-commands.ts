/**
 * The verbs of `wreckit sprite` in another program, below a commander command of its own:
 *
 *   registerSpriteCommands(program)   →   host sprite start demo · host sprite exec demo -- npm test · …
 *
 * The host's commander shows them in its help and finds the verb; options, help, output and errors of a verb are
 * those of `wreckit sprite`. Nothing here ends the process: the exit code goes to `onExit`.
 */
import type { Readable, Writable } from 'node:stream';
import { type Io, processIo } from '../cli/io.ts';
import { runProgram } from '../cli/program.ts';
import { isVerbGroup, type VerbNode } from '../cli/verb.ts';
import { globalOptions } from '../commands/globals.ts';
import { spriteVerbs } from '../commands/sprite/index.ts';
import { packageVersion } from '../package-root.ts';
import { streamPort } from './stream-port.ts';

/** What is used of the host's commander `Command`, of whatever version it is. */
export interface CommandLike {
  name(): string;
  readonly parent: CommandLike | null;
  readonly args: string[];
  command(nameAndArgs: string): CommandLike;
  description(text: string): CommandLike;
  allowUnknownOption(allow?: boolean): CommandLike;
  helpOption(flags: boolean): CommandLike;
  helpCommand(enable: boolean): CommandLike;
  argument(name: string, description?: string): CommandLike;
  action(act: () => void | Promise<void>): CommandLike;
}

export interface SpriteCommandOptions {
  /** Of the command all verbs are below; default `sprite`. */
  readonly name?: string | undefined;
  /** Absent: those of the process. A verb that needs a terminal (attach, exec --tty) needs the process's own. */
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Ends the verb that runs; it cleans up first. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the exit code of each verb (docs/wisp-contract.md); absent: it becomes `process.exitCode`. */
  readonly onExit?: ((exitCode: number) => void | Promise<void>) | undefined;
}

const DEFAULT_NAME = 'sprite';
const SUMMARY = 'Start, use and remove sandboxes';

/** Returns the command that was added. To be run with `parseAsync`, which then waits for the verb's end. */
export function registerSpriteCommands<C extends CommandLike>(
  program: C,
  options: SpriteCommandOptions = {},
): ReturnType<C['command']> {
  const { name = DEFAULT_NAME } = options;
  const group = program.command(name).description(SUMMARY);
  asIs(group)
    .argument('[words...]')
    .action(async () => await callVerb(group, options));
  for (const node of spriteVerbs) addVerb(group, node, async () => await callVerb(group, options));
  return group as ReturnType<C['command']>;
}

function addVerb(parent: CommandLike, node: VerbNode, act: () => Promise<void>): void {
  if (node.hidden === true) return;
  const command = asIs(parent.command(node.name).description(node.summary));
  command.argument('[words...]').action(act);
  if (isVerbGroup(node)) for (const each of node.verbs) addVerb(command, each, act);
}

/** The verb reads its words itself. */
function asIs(command: CommandLike): CommandLike {
  return command.allowUnknownOption().helpOption(false).helpCommand(false);
}

async function callVerb(group: CommandLike, options: SpriteCommandOptions): Promise<void> {
  const { signal = new AbortController().signal, onExit } = options;
  using io = ioOf(options, signal);
  const exitCode = await runProgram({
    name: commandPath(group.parent).join(' '),
    summary: SUMMARY,
    version: packageVersion,
    verbs: [{ name: group.name(), summary: SUMMARY, verbs: spriteVerbs }],
    globalOptions,
    argv: [group.name(), ...wordsBelow(group)],
    calledAs: commandPath(group).join(' '),
    io,
    signal,
  });
  if (onExit !== undefined) await onExit(exitCode);
  else if (exitCode !== 0) process.exitCode = exitCode;
}

/** The names from the program to the command. */
function commandPath(command: CommandLike | null): string[] {
  return command === null ? [] : [...commandPath(command.parent), command.name()];
}

/**
 * What stands after the command's name. Commander takes the "--" out of what it hands on, and a verb needs to know
 * where its command begins: so they are looked for in what the program was called with.
 */
function wordsBelow(group: CommandLike): string[] {
  let root = group;
  while (root.parent !== null) root = root.parent;
  const raw = 'rawArgs' in root && Array.isArray(root.rawArgs) ? root.rawArgs.map(String) : [];
  const handedOn = group.args;
  for (let at = raw.length - 1; at >= 0; at -= 1) {
    const words = raw.slice(at + 1);
    if (raw[at] === group.name() && isWithin(handedOn, words)) return words;
  }
  return handedOn;
}

/** `part` is `whole` with some left out. */
function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0;
  for (const word of whole) if (word === part[next]) next += 1;
  return next === part.length;
}

interface HostIo extends Io, Disposable {}

function ioOf({ stdin, stdout, stderr, env, cwd }: SpriteCommandOptions, signal: AbortSignal): HostIo {
  const own = processIo(signal);
  const out = stdout === undefined ? null : streamPort(stdout);
  const err = stderr === undefined ? null : streamPort(stderr);
  return {
    get stdin() {
      return stdin ?? own.stdin;
    },
    get stdout() {
      return out ?? own.stdout;
    },
    get stderr() {
      return err ?? own.stderr;
    },
    env: env ?? own.env,
    cwd: cwd ?? own.cwd,
    get isStdinTty() {
      return stdin === undefined ? own.isStdinTty : 'isTTY' in stdin && stdin.isTTY === true;
    },
    isInjected: stdin !== undefined || stdout !== undefined || stderr !== undefined,
    [Symbol.dispose]: () => {
      out?.[Symbol.dispose]();
      err?.[Symbol.dispose]();
    },
  };
}
