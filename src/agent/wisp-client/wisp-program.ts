/**
 * Which program is `wisp`: the bundled one, or the one `wispPath` names. Decided from the file system alone,
 * nothing is run here; whether the program found speaks the contract is the handshake's question.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { quote } from '../../contract/names.ts';
import { errorOf, WispNotFoundError, type WreckitError } from '../../errors.ts';
import { bundledWisp } from './bundled-wisp.ts';

export interface WispProgram {
  /** The words that start it; the verb follows. */
  readonly argv: readonly string[];
  /** Absolute path of the program. */
  readonly path: string;
  /** What it is to find in its environment, beside what every wisp gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** `bundled` is trusted by its place in this package, the others by their handshake. */
  readonly origin: 'bundled' | 'configured';
  /** `fly`: Fly's `sprite` command. */
  readonly dialect: 'wisp' | 'fly';
}

export interface ResolveWispOptions {
  /** A path, or a bare name that is looked up on PATH. Absent: the bundled wisp. */
  readonly wispPath?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What a relative path is relative to. */
  readonly cwd?: string | undefined;
}

const HINT =
  'set agent.wispPath to the path of a wisp program, to the name of one on PATH, or remove it to use the bundled one';

/** Throws `WISP_NOT_FOUND` (nothing there) or `WISP_INCOMPATIBLE` (there, but no program that can run). */
export function resolveWisp(options: ResolveWispOptions = {}): WispProgram {
  const { wispPath } = options;
  if (wispPath === undefined) return bundledProgram();
  const isPath = wispPath.includes('/') || (process.platform === 'win32' && wispPath.includes('\\'));
  const path = isPath ? explicitPath(wispPath, options) : pathOfName(wispPath, options.env ?? process.env);
  const fault = faultOf(path);
  if (fault === 'missing') throw notFound(wispPath, `there is no file ${quote(path)}`);
  if (fault !== null) throw incompatible(path, fault);
  const dialect = /^sprite(\.exe)?$/.test(basename(path)) ? 'fly' : 'wisp';
  return { argv: [path], path, origin: 'configured', dialect };
}

/** `WISP_INCOMPATIBLE` for the program at `path`, with how to set another one. */
export function incompatible(
  path: string,
  what: string,
  details: Record<string, unknown> = {},
): WreckitError {
  return errorOf('WISP_INCOMPATIBLE', `use ${quote(path)} as wisp: ${what}`, {
    hint: HINT,
    details: { wisp_path: path, ...details },
  });
}

function bundledProgram(): WispProgram {
  const bundled = bundledWisp();
  if (bundled !== null) return { ...bundled, origin: 'bundled', dialect: 'wisp' };
  throw new WispNotFoundError('find the bundled wisp: this installation of wreckit lacks it', {
    hint: 'install wreckit again, or set agent.wispPath to the path of a wisp program',
  });
}

function notFound(wispPath: string, what: string): WreckitError {
  return new WispNotFoundError(`find wisp ${quote(wispPath)}: ${what}`, {
    hint: HINT,
    details: { wisp_path: wispPath },
  });
}

function explicitPath(wispPath: string, { cwd, env }: ResolveWispOptions): string {
  const home = (env ?? process.env).HOME;
  if (wispPath.startsWith('~/') && home !== undefined) return join(home, wispPath.slice(2));
  return resolve(cwd ?? process.cwd(), wispPath);
}

/** A directory of PATH that is relative or empty is not searched: it would be the project's own. */
function pathOfName(name: string, env: Readonly<Record<string, string | undefined>>): string {
  if (name === '') throw notFound(name, 'the name is empty');
  const names = process.platform === 'win32' ? [`${name}.exe`, name] : [name];
  let unusable: string | undefined;
  for (const dir of (env.PATH ?? '').split(delimiter).filter((entry) => isAbsolute(entry))) {
    for (const path of names.map((candidate) => join(dir, candidate))) {
      const fault = faultOf(path);
      if (fault === null) return path;
      if (fault !== 'missing') unusable ??= path;
    }
  }
  if (unusable !== undefined) return unusable;
  throw notFound(name, 'there is no program of this name on PATH');
}

/** Why the file can't be run; null when it can. */
function faultOf(path: string): string | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'missing';
    if (stat.isDirectory()) return 'it is a directory, not a program';
    if (!stat.isFile()) return 'it is not a regular file';
    accessSync(path, constants.X_OK);
    return null;
  } catch (thrown) {
    const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    if (errno === 'ENOTDIR') return 'missing';
    return errno === 'EACCES' ? 'it is not executable' : `it cannot be read (${errno})`;
  }
}
