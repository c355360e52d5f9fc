import fs from 'node:fs';
import { LocalFiles } from '../../engine/local/files.ts';

/** The owner of what the programs below make: an ordinary user where the tests run as root. */
export const ORDINARY_ID = process.getuid?.() === 0 ? 60_600 : (process.getuid?.() ?? 0);

interface Surroundings {
  readonly refusals?: number;
  readonly onEnter?: () => void;
}

const HELD_STILL = [
  '/bin/sh',
  '-c',
  'echo "cannot exec in a paused container (use --ignore-paused to override)" >&2; exit 255',
];

/**
 * File operations whose "inside" is this machine, as an ordinary user: for what the scripts do, not for where
 * they do it. The first `refusals` of the processes end as the runtime does at a sprite that is held still.
 */
export function filesOnThisMachine({ refusals = 0, onEnter }: Surroundings = {}): LocalFiles {
  let left = refusals;
  const asOrdinary =
    process.getuid?.() === 0
      ? ['setpriv', `--reuid=${ORDINARY_ID}`, `--regid=${ORDINARY_ID}`, '--clear-groups', '--']
      : [];
  return new LocalFiles(async (_name, command) => {
    onEnter?.();
    left -= 1;
    return {
      argv: left >= 0 ? HELD_STILL : [...asOrdinary, ...command],
      env: { PATH: process.env.PATH ?? '' },
      [Symbol.dispose]: () => undefined,
    };
  });
}

/** Makes `path` and all above it, up to the system's, reachable for that user, and `path` its own. */
export function handOver(path: string): void {
  fs.chmodSync(path, 0o755);
  if (process.getuid?.() === 0) fs.chownSync(path, ORDINARY_ID, ORDINARY_ID);
}

export async function* streamOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
