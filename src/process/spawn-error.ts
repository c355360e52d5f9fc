/** Why a program could not be started, in words, the same on every runtime. */
import { statSync } from 'node:fs';
import { quote } from '../contract/names.ts';
import { errnoOf } from '../errors.ts';

export interface SpawnError {
  /** ENOENT, EACCES, E2BIG … */
  readonly errno: string;
  readonly message: string;
}

export function spawnErrorOf(error: unknown, program: string, cwd: string | undefined): SpawnError {
  const errno = errnoOf(error) ?? 'UNKNOWN';
  const attempted = `run ${quote(program)}`;
  // The kernel reports a missing directory as if the program were missing.
  if (cwd !== undefined && !isDirectory(cwd)) {
    return { errno, message: `${attempted}: the working directory ${quote(cwd)} is not a directory` };
  }
  const wherever = program.includes('/') ? 'there is no such file' : 'it is not on PATH';
  switch (errno) {
    case 'ENOENT':
      return { errno, message: `${attempted}: ${wherever}` };
    case 'EACCES':
    case 'EPERM':
      return { errno, message: `${attempted}: it is not an executable file` };
    case 'E2BIG':
      return {
        errno,
        message: `${attempted}: its arguments and environment are longer than the system takes`,
      };
    default:
      return { errno, message: `${attempted}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
