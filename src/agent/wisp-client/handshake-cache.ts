/**
 * Remembers which programs have answered the handshake, one small file per program under
 * `$XDG_CACHE_HOME/wreckit`. Only a saving: what can't be read or written is as if it weren't there.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isObject } from '../../contract/json-value.ts';
import { normaliseVersion } from '../../contract/normalise.ts';
import type { VersionData } from '../../contract/schemas.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the program answered when it was the same file as now; undefined when that isn't known. */
export function readHandshake(path: string, env: Env): VersionData | undefined {
  try {
    const entry = entryOf(path, env);
    if (entry === undefined) return undefined;
    const stored: unknown = JSON.parse(readFileSync(entry.file, 'utf8'));
    if (!isObject(stored) || stored.program !== entry.program) return undefined;
    return normaliseVersion(stored.version);
  } catch {
    return undefined; // absent or broken: the program is asked again
  }
}

export function writeHandshake(path: string, env: Env, version: VersionData): void {
  let temporary: string | undefined;
  try {
    const entry = entryOf(path, env);
    if (entry === undefined) return;
    mkdirSync(entry.dir, { recursive: true, mode: 0o700 });
    temporary = `${entry.file}.${randomUUID()}`;
    writeFileSync(temporary, JSON.stringify({ program: entry.program, version }), { mode: 0o600 });
    renameSync(temporary, entry.file);
  } catch {
    // A cache directory that can't be written costs one more question next time.
    if (temporary !== undefined) rmSync(temporary, { force: true });
  }
}

interface Entry {
  readonly dir: string;
  readonly file: string;
  /** Path, size and times of the program's file: another one is another program. */
  readonly program: string;
}

function entryOf(path: string, env: Env): Entry | undefined {
  const dir = cacheDir(env);
  if (dir === undefined) return undefined;
  const real = realpathSync(path);
  const stat = statSync(real, { bigint: true });
  const program = [real, stat.size, stat.mtimeNs, stat.ino].join('|');
  const file = join(dir, `wisp-${createHash('sha256').update(real).digest('hex').slice(0, 24)}.json`);
  return { dir, file, program };
}

function cacheDir({ XDG_CACHE_HOME, HOME }: Env): string | undefined {
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'wreckit');
  return HOME !== undefined && isAbsolute(HOME) ? join(HOME, '.cache', 'wreckit') : undefined;
}
