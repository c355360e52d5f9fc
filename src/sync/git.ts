/**
 * git as plumbing only. Whatever a repository, its attributes or the user's configuration say, nothing but git
 * itself runs: no hooks, fsmonitor, filters, external diff, pager, editor, credential helper or transport.
 * Names go in and out NUL-separated, content as bytes.
 */
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import { type OutputSink, type RunResult, run, type StdinSource } from '../process/run.ts';
import { decodeUtf8 } from '../process/text.ts';

export interface GitOptions {
  readonly cwd: string;
  /** Absolute; without it git looks for the repository itself. */
  readonly gitDir?: string | undefined;
  readonly workTree?: string | undefined;
  /** More environment: `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY`, author and committer. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** More `-c` settings. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** With the user's own configuration below all that, for what it says is ignored. */
  readonly withUserConfig?: boolean | undefined;
  readonly stdin?: StdinSource | undefined;
  readonly stdout?: OutputSink | undefined;
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

const NEUTRAL_CONFIG = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.splitIndex': 'false',
  'index.sparse': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.quotePath': 'false',
  'core.editor': 'true',
  'core.pager': 'cat',
  'core.sshCommand': 'false',
  'core.gitProxy': '',
  'credential.helper': '',
  'protocol.allow': 'never',
  'commit.gpgSign': 'false',
  'merge.conflictStyle': 'merge',
  'diff.suppressBlankEmpty': 'false',
  'diff.noprefix': 'false',
  'diff.mnemonicPrefix': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'i18n.commitEncoding': 'UTF-8',
  'trace2.eventTarget': '0',
  // Bigger blobs are streamed instead of being held in memory, and are binary to diff.
  'core.bigFileThreshold': '32m',
  // Whether the repository may be used was asked with the user's own settings (git-repository.ts).
  'safe.directory': '*',
} as const;

/** The settings of `git config` and every variable that makes git run something are left out. */
const NEUTRAL_ENV = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: '',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_FLUSH: '0',
  LC_ALL: 'C',
} as const;

/** What a program needs of its environment to run at all. */
export function programEnv(): Record<string, string> {
  return pickEnv(['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR']);
}

function pickEnv(names: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Where git finds the user's own configuration. */
export function userConfigEnv(): Record<string, string> {
  return pickEnv(['HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'GIT_CONFIG_GLOBAL']);
}

/** Runs git; a failure is in the result. */
export async function git(args: readonly string[], options: GitOptions): Promise<RunResult> {
  const { 'core.excludesFile': noExcludes, ...neutral } = NEUTRAL_CONFIG;
  const { GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, ...neutralEnv } = NEUTRAL_ENV;
  const isUsers = options.withUserConfig === true;
  const excludes = isUsers ? {} : { 'core.excludesFile': noExcludes };
  const userEnv = isUsers ? userConfigEnv() : { GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM };
  const settings = Object.entries({ ...neutral, ...excludes, ...options.config });
  const place: Record<string, string> = {};
  if (options.gitDir !== undefined) place.GIT_DIR = options.gitDir;
  if (options.workTree !== undefined) place.GIT_WORK_TREE = options.workTree;
  return await run(['git', ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]), ...args], {
    cwd: options.cwd,
    env: { ...programEnv(), ...neutralEnv, ...userEnv, ...place, ...options.env },
    stdin: options.stdin ?? 'ignore',
    stdout: options.stdout ?? 'capture',
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    signal: options.signal,
  });
}

/** Its stdout; throws `SPRITE_SYNC_FAILED` when git fails, the signal's reason when it was aborted. */
export async function gitBytes(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const done = await git(args, options);
  if (done.failed || done.stdoutTruncatedBytes > 0) throw gitFailure(args, done, options.signal);
  return Buffer.from(done.stdout.buffer, done.stdout.byteOffset, done.stdout.byteLength);
}

/** Its stdout without the last line end. */
export async function gitLine(args: readonly string[], options: GitOptions): Promise<string> {
  return (await gitBytes(args, options)).toString('utf8').replace(/\n$/, '');
}

export function gitFailure(args: readonly string[], done: RunResult, signal?: AbortSignal): unknown {
  if (done.aborted && signal?.reason !== undefined) return signal.reason;
  const what = `git ${args[0] ?? ''}`;
  if (done.spawnError !== null) {
    return errorOf('SPRITE_SYNC_FAILED', `${what}: git can't be run: ${done.spawnError.message}`, {
      hint: 'install git, and see that it is on PATH',
    });
  }
  if (done.stdoutTruncatedBytes > 0) return errorOf('SPRITE_SYNC_FAILED', `${what}: its output is too long`);
  return errorOf('SPRITE_SYNC_FAILED', `${what}: ${reasonOf(done)}`, {
    details: { exit_code: done.exitCode, argv: args.slice(0, 20) },
  });
}

function reasonOf(done: RunResult): string {
  const lines = decodeUtf8(done.stderr).trim().split('\n');
  const line = lines.find((text) => /^(fatal|error):/.test(text)) ?? lines.at(-1) ?? '';
  if (line !== '') return quote(line.replace(/^(fatal|error): /, ''));
  return done.signal === null ? `ended with ${done.exitCode}` : `ended by ${done.signal}`;
}

export function isGitMissing(done: RunResult): boolean {
  return done.spawnError?.errno === 'ENOENT';
}

/** Fields that end with NUL, one character per byte. */
export function splitNul(bytes: Buffer): string[] {
  const fields = bytes.toString('latin1').split('\0');
  fields.pop();
  return fields;
}
