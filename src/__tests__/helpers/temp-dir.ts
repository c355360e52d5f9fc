import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/** A directory of the test's own, gone at the end of the scope: `using dir = tempDir();`. */
export interface TempDir extends Disposable {
  readonly path: string;
  /** A path below it. */
  join(...parts: string[]): string;
}

export function tempDir(prefix = 'wreckit-test-'): TempDir {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => removeTree(path),
  };
}
