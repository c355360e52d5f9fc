/**
 * The command lines of the wisp contract as data: what `--dry-run` prints is what would be run. Every name is
 * checked here, before any process is made from it, and no value can be taken for a flag.
 */
import { assertSessionId, assertSpriteName, quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { SpriteListFilter, SpriteStartSpec } from './wisp-client.ts';

export interface WispCommand {
  /** The verb: `['start']`, `['fs', 'read']`. `--json` goes right after it. */
  readonly words: readonly string[];
  readonly args: readonly string[];
}

export interface ExecFlags {
  readonly dir?: string | undefined;
  /** Visible in argv: for what the user has written there, never for secrets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Files of `NAME=VALUE` lines, the later one wins. */
  readonly envFiles?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly commandTimeout?: string | undefined;
  readonly maxOutput?: string | undefined;
  readonly encoding?: 'utf8' | 'base64' | undefined;
  readonly detachKey?: string | undefined;
  readonly tty?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly stdin?: boolean | undefined;
}

/** What the verb is called in messages and documents. */
export function verbOf({ words }: WispCommand): string {
  return words.join(' ');
}

export function startCommand(name: string, spec: SpriteStartSpec = {}): WispCommand {
  return named('start', name, [
    ...flag('--image', spec.image),
    ...flag('--memory', spec.memory),
    ...flag('--cpus', spec.cpus),
    ...flag('--pids', spec.pids),
    ...flag('--network', spec.network),
    ...(spec.allow ?? []).flatMap((domain) => flag('--allow', domain)),
    ...pairs('--env', spec.env),
    ...(spec.envFiles ?? []).flatMap((file) => flag('--env-file', file)),
    ...pairs('--label', spec.labels),
    ...(spec.softLimits === true ? ['--soft-limits'] : []),
    ...flag('--ttl', spec.ttl),
    ...flag('--idle-timeout', spec.idleTimeout),
    ...flag('--owner', spec.owner),
    ...flag('--from', spec.from),
    ...flag('--min-isolation', spec.minIsolation),
    ...flag('--max-sprites', spec.maxSprites?.toString()),
  ]);
}

export function listCommand(filter: SpriteListFilter = {}): WispCommand {
  return { words: ['list'], args: [...flag('--prefix', filter.prefix), ...pairs('--label', filter.labels)] };
}

/** `info`, `stop`, `wake`, `sessions`: verbs of a name alone. */
export function nameCommand(verb: 'info' | 'stop' | 'wake' | 'sessions', name: string): WispCommand {
  return named(verb, name);
}

/** `keep`: for how long it is not put to sleep. */
export function wakeCommand(name: string, keep?: string): WispCommand {
  return named('wake', name, flag('--keep', keep));
}

export function killCommand(
  names: readonly string[],
  labels?: Readonly<Record<string, string>>,
): WispCommand {
  const args = [...names.map((name) => assertSpriteName(name)), ...pairs('--label', labels)];
  if (args.length > 0) return { words: ['kill'], args };
  throw new WreckitError('USAGE', 'kill: no sprite named');
}

/** What follows `--` is the command's own and goes through untouched. */
export function execCommand(name: string, command: readonly string[], flags: ExecFlags = {}): WispCommand {
  if (command.length === 0) throw new WreckitError('USAGE', `exec in ${quote(name)}: no command given`);
  for (const word of command) assertNoNul('exec', word);
  return named('exec', name, [
    ...flag('--dir', flags.dir === undefined ? undefined : assertAbsolute(flags.dir)),
    ...pairs('--env', flags.env),
    ...(flags.envFiles ?? []).flatMap((file) => flag('--env-file', file)),
    ...flag('--user', flags.user),
    ...flag('--timeout', flags.commandTimeout),
    ...flag('--max-output', flags.maxOutput),
    ...flag('--encoding', flags.encoding),
    ...flag('--detach-key', flags.detachKey),
    ...(flags.tty === true ? ['--tty'] : []),
    ...(flags.detach === true ? ['--detach'] : []),
    ...(flags.stdin === true ? ['--stdin'] : []),
    '--',
    ...command,
  ]);
}

export interface AttachFlags {
  /** The newest session that still runs. */
  readonly last?: boolean | undefined;
  readonly detachKey?: string | undefined;
  readonly from?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

export function attachCommand(name: string, sessionId?: string, flags: AttachFlags = {}): WispCommand {
  return named('attach', name, [
    ...(sessionId === undefined ? [] : [assertSessionId(sessionId)]),
    ...offset(flags.from),
    ...(flags.last === true ? ['--last'] : []),
    ...(flags.readOnly === true ? ['--read-only'] : []),
    ...flag('--detach-key', flags.detachKey),
  ]);
}

export interface LogsFlags {
  readonly from?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
  readonly maxOutput?: string | undefined;
}

export function logsCommand(name: string, sessionId: string, flags: LogsFlags = {}): WispCommand {
  return named('logs', name, [
    assertSessionId(sessionId),
    ...offset(flags.from),
    ...(flags.follow === true ? ['--follow'] : []),
    ...flag('--stream', flags.stream),
    ...flag('--max-output', flags.maxOutput),
  ]);
}

export function portsCommand(name: string, isWatching = false): WispCommand {
  return named('ports', name, isWatching ? ['--watch'] : []);
}

/** `pairs`: `REMOTE` or `LOCAL:REMOTE`. */
export function proxyCommand(name: string, pairs: readonly string[]): WispCommand {
  const wrong = pairs.find((pair) => !/^\d{1,5}(:\d{1,5})?$/.test(pair));
  if (wrong !== undefined) throw new WreckitError('USAGE', `proxy: ${quote(wrong)} is not a port`);
  return named('proxy', name, pairs);
}

export function selftestCommand(): WispCommand {
  return { words: ['selftest'], args: [] };
}

export interface KillSessionFlags {
  readonly signalName?: string | undefined;
  readonly grace?: string | undefined;
}

export function killSessionCommand(
  name: string,
  sessionId: string,
  flags: KillSessionFlags = {},
): WispCommand {
  return named('kill-session', name, [
    assertSessionId(sessionId),
    ...flag('--signal', flags.signalName),
    ...flag('--grace', flags.grace),
  ]);
}

export function createCheckpointCommand(name: string, comment?: string): WispCommand {
  return { words: ['checkpoint', 'create'], args: [assertSpriteName(name), ...flag('--comment', comment)] };
}

export function restoreCheckpointCommand(name: string, checkpointId: string): WispCommand {
  return {
    words: ['checkpoint', 'restore'],
    args: [assertSpriteName(name), ...checkpointWord(checkpointId)],
  };
}

function checkpointWord(checkpointId: string): string[] {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/i.test(checkpointId)) return [checkpointId];
  throw new WreckitError('CHECKPOINT_NOT_FOUND', `checkpoint: ${quote(checkpointId)} is not a checkpoint id`);
}

export type ServiceVerb = 'add' | 'list' | 'start' | 'stop' | 'restart' | 'signal' | 'rm' | 'logs';

export interface ServiceFlags {
  readonly needs?: readonly string[] | undefined;
  readonly httpPort?: string | undefined;
  readonly dir?: string | undefined;
  /** Visible in argv: for what the user has written there, never for secrets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly envFiles?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly grace?: string | undefined;
  readonly lines?: string | undefined;
  readonly from?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

/** `words`: the service's name, and what else the verb takes; `command` follows `--`. */
export function serviceCommand(
  verb: ServiceVerb,
  name: string,
  words: readonly string[],
  { flags = {}, command }: { readonly flags?: ServiceFlags; readonly command?: readonly string[] } = {},
): WispCommand {
  for (const word of command ?? []) assertNoNul('service', word);
  const args = [
    assertSpriteName(name),
    ...words,
    ...(flags.needs ?? []).flatMap((need) => flag('--needs', need)),
    ...flag('--http-port', flags.httpPort),
    ...flag('--dir', flags.dir === undefined ? undefined : assertAbsolute(flags.dir)),
    ...pairs('--env', flags.env),
    ...(flags.envFiles ?? []).flatMap((file) => flag('--env-file', file)),
    ...flag('--user', flags.user),
    ...flag('--grace', flags.grace),
    ...flag('--lines', flags.lines),
    ...offset(flags.from),
    ...(flags.follow === true ? ['--follow'] : []),
    ...flag('--stream', flags.stream),
    ...(command === undefined ? [] : ['--', ...command]),
  ];
  return { words: ['service', verb], args };
}

export type FsVerb = 'read' | 'write' | 'ls' | 'rm' | 'mkdir' | 'mv' | 'chmod';

/** `paths` are inside the sprite, relative ones start at its home; `more` are flags and plain words, checked by the caller. */
export function fsCommand(
  verb: FsVerb,
  name: string,
  paths: readonly string[],
  more: readonly string[] = [],
): WispCommand {
  const args = [assertSpriteName(name), ...paths.map((path) => insidePath(path)), ...more];
  return { words: ['fs', verb], args };
}

/** The tar stream comes on stdin. */
export function pushCommand(name: string, dst: string): WispCommand {
  return named('push', name, ['-', insidePath(dst)]);
}

/** wisp reads the file of this machine itself. */
export function pushFileCommand(name: string, file: string, dst: string): WispCommand {
  return named('push', name, [insidePath(file), insidePath(dst)]);
}

/** The tar stream goes to stdout. */
export function pullCommand(name: string, src: string): WispCommand {
  return named('pull', name, [insidePath(src), '-']);
}

export function gcCommand(isDryRun: boolean): WispCommand {
  return { words: ['gc'], args: isDryRun ? ['--dry-run'] : [] };
}

function assertAbsolute(path: string): string {
  if (path.startsWith('/')) return insidePath(path);
  throw new WreckitError('PATH_INVALID', `path inside the sprite: ${quote(path)} is not absolute`);
}

/** `path` in a form that is no flag. Throws `PATH_INVALID`. */
function insidePath(path: string): string {
  if (path !== '' && !path.includes('\0')) return path.startsWith('-') ? `./${path}` : path;
  const what = path === '' ? 'is empty' : 'has a NUL in it';
  throw new WreckitError('PATH_INVALID', `path inside the sprite: ${quote(path)} ${what}`);
}

function named(verb: string, name: string, args: readonly string[] = []): WispCommand {
  return { words: [verb], args: [assertSpriteName(name), ...args] };
}

function flag(name: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  assertNoNul(name, value);
  if (value === '') throw new WreckitError('USAGE', `${name}: the value is empty`);
  if (value.startsWith('-')) throw new WreckitError('USAGE', `${name}: ${quote(value)} looks like a flag`);
  return [name, value];
}

/** A negative one counts from the end. */
function offset(from: number | undefined): string[] {
  return from === undefined ? [] : ['--from', String(Math.trunc(from))];
}

function pairs(name: string, record: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(record ?? {}).flatMap(([key, value]) => {
    if (key === '' || key.includes('=')) {
      throw new WreckitError('USAGE', `${name}: ${quote(key)} is not a name for a value`);
    }
    return flag(name, `${key}=${value}`);
  });
}

function assertNoNul(what: string, text: string): void {
  if (text.includes('\0')) throw new WreckitError('USAGE', `${what}: ${quote(text)} has a NUL in it`);
}
