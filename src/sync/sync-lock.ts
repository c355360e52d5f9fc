/** One command at a time: a lock file that names its holder, so that a dead holder's lock is taken over. */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, errorOf } from '../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../process/identity.ts';
import { readIfThere } from './durable.ts';

export interface LockOptions {
  /** What is locked, for the message: `sprite "demo"`. */
  readonly what: string;
  /** What its holder does, for the message; "is syncing it" when absent. */
  readonly doing?: string | undefined;
  readonly hint?: string | undefined;
  /** How long a living holder is waited for; 30 s when absent. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 50;

/** Dispose it to let go. Throws `SPRITE_BUSY` when another process holds it for longer than `waitMs`. */
export async function holdLock(file: string, options: LockOptions): Promise<Disposable> {
  const deadline = performance.now() + (options.waitMs ?? 30_000);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (;;) {
    options.signal?.throwIfAborted();
    if (tryLock(file)) return { [Symbol.dispose]: () => fs.rmSync(file, { force: true }) };
    const holder = holderOf(file);
    if (holder === null || !isSameProcess(holder)) {
      breakLock(file);
      continue;
    }
    if (performance.now() > deadline) {
      throw errorOf(
        'SPRITE_BUSY',
        `${options.what}: process ${holder.pid} ${options.doing ?? 'is syncing it'}`,
        {
          hint: options.hint,
          retryable: true,
          details: { pid: holder.pid },
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Made under another name and linked into place: a lock file is never seen without its holder. */
function tryLock(file: string): boolean {
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2, 8)}`;
  fs.writeFileSync(temporary, JSON.stringify(identify(process.pid)), { flag: 'wx', mode: 0o600 });
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === 'EEXIST') return false;
    if (errno !== 'EPERM' && errno !== 'ENOTSUP' && errno !== 'ENOSYS') throw thrown;
    return copyExclusively(temporary, file);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** For file systems without hard links. */
function copyExclusively(from: string, to: string): boolean {
  try {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/** Moved away first: of two processes that see the same dead lock only one moves it. */
function breakLock(file: string): void {
  const away = `${file}.dead.${process.pid}.${Math.random().toString(36).slice(2, 8)}`;
  try {
    fs.renameSync(file, away);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  const moved = parseHolder(readIfThere(away));
  // Somebody took it over between the look and the move: it is given back unless a new one is there.
  if (moved !== null && isSameProcess(moved)) {
    try {
      fs.linkSync(away, file);
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') throw thrown;
    }
  }
  fs.rmSync(away, { force: true });
}

function holderOf(file: string): ProcessIdentity | null {
  return parseHolder(readIfThere(file));
}

function parseHolder(text: string | null): ProcessIdentity | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value)) return null;
    const { pid, startTime, bootId } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string') return null;
    return { pid, startTime, bootId };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
