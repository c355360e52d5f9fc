/** A sprite whose own programs lie: what they say must not fill this machine's memory, nor reach further than asked. */
import { expect, test } from 'bun:test';
import fs from 'node:fs';
import { hashInSprite, scanSprite } from '../../sync/sprite-scan.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { localDirPort } from './local-dir-port.ts';

/** A sprite with `script` in the place of `program`. */
function lying(dir: TempDir, program: string, script: string) {
  const bin = dir.join('bin');
  fs.mkdirSync(bin);
  fs.writeFileSync(`${bin}/${program}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const inside = dir.join('inside');
  fs.mkdirSync(inside);
  return localDirPort(inside, { path: `${bin}:/usr/bin:/bin` });
}

test.each([
  ['directories that can not be read', `yes 'u 0 0 0@x@' | tr '@\\n' '\\0\\0'`],
  ['one file again and again', `yes 'f 644 1 1.0@x@' | tr '@\\n' '\\0\\0'`],
  ['tokens', `yes 'token x' | tr '\\n' '\\0'`],
  ['link targets of any length', `yes 'l 777 1 1.0@x@${'y'.repeat(60_000)}' | tr '@\\n' '\\0\\0'`],
])('`scanSprite()` ends a list without an end: %s', async (_, script) => {
  using dir = tempDir();
  // Far more than is allowed, but an end all the same: without a limit this test would be red, not stuck.
  const port = lying(dir, 'find', `{ ${script}; } | head -c 64M`);
  const error = await wreckitErrorOf(() => scanSprite(port, { maxEntries: 1000 }));
  expect(error).toMatchObject({ code: 'SPRITE_SYNC_FAILED' });
  expect(error.message).toContain('more than 1000 files');
});

test('`hashInSprite()` keeps the hashes it asked for and no other', async () => {
  using dir = tempDir();
  const hash = 'a'.repeat(64);
  const port = lying(dir, 'sha256sum', `printf '${hash}  ./asked\\0${hash}  ./other\\0'`);
  expect([...(await hashInSprite(port, ['asked']))]).toEqual([['asked', hash]]);
});
