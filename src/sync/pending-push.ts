/** What a push is about to send, written before it does: after a crash what is there in the sprite is ours. */
import fs from 'node:fs';
import path from 'node:path';
import type { BytePath } from './byte-path.ts';
import { readIfThere, writeDurably } from './durable.ts';

export interface PendingPush {
  readonly token: string;
  readonly paths: readonly BytePath[];
}

function fileOf(spriteDir: string): string {
  return path.join(spriteDir, 'pending.json');
}

/** Also those of a push before that was cut off, until one comes through. */
export function savePending(spriteDir: string, pending: PendingPush): void {
  const earlier = loadPending(spriteDir)?.paths ?? [];
  const paths = [...new Set([...earlier, ...pending.paths])];
  writeDurably(fileOf(spriteDir), [JSON.stringify({ token: pending.token, paths })]);
}

export function clearPending(spriteDir: string): void {
  fs.rmSync(fileOf(spriteDir), { force: true });
}

/** Null where no push was cut off. A damaged file counts as none: then differences are conflicts. */
export function loadPending(spriteDir: string): PendingPush | null {
  const text = readIfThere(fileOf(spriteDir));
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('token' in value) || !('paths' in value))
      return null;
    const { token, paths } = value;
    const isPending = typeof token === 'string' && Array.isArray(paths);
    return isPending ? { token, paths: paths.filter((item) => typeof item === 'string') } : null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
