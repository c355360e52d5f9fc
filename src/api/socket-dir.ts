/** Where a unix socket may lie: in a directory that nobody else can change. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

/** What the kernel takes for the path of a socket, without its end mark. */
const MAX_SOCKET_PATH_BYTES = 107;
const STICKY = 0o1000;

/** Makes the directory, for this user only, where it is missing. Throws `USAGE`, `ENGINE_UNAVAILABLE`. */
export function ensureSocketDir(path: string): string {
  assertSocketPath(path);
  const dir = dirname(path);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new WreckitError('ENGINE_UNAVAILABLE', `socket: the directory ${dir} can't be made`, {
      hint: 'choose another place with --socket, or set XDG_RUNTIME_DIR to a directory of your own',
      cause,
    });
  }
  const { uid, mode } = statSync(dir);
  const isTrusted = process.getuid === undefined || uid === process.getuid() || uid === 0;
  const isClosed = (mode & 0o022) === 0 || (mode & STICKY) !== 0;
  if (isTrusted && isClosed) return dir;
  throw new WreckitError('ENGINE_UNAVAILABLE', `socket: others can change what is in ${dir}`, {
    hint: 'choose a directory of your own: mkdir -m 700 DIR',
  });
}

/** Throws `USAGE`. */
export function assertSocketPath(path: string): void {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return;
  throw new WreckitError(
    'USAGE',
    `socket ${quote(path)}: its path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`,
    { hint: 'give a shorter one, such as --socket /tmp/wisp.sock' },
  );
}
