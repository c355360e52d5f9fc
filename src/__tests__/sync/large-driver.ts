/**
 * bun large-driver.ts ROOT SPRITE_DIR: pushes ROOT, changes the file `big` in the sprite, pulls it and lands it
 * every way. Prints the most memory the process ever had, in bytes. Not what getrusage says: that counts the
 * test runner, too, of which this process was a copy before it became this program.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { localDirPort } from './local-dir-port.ts';

const [root = '', inside = ''] = process.argv.slice(2);
const port = localDirPort(inside);
await pushProject({ root, port });
appendFileSync(join(inside, 'big'), 'changed');
const changeSet = await pullChanges({ root, port });
if (changeSet.changes.length !== 1) throw new Error(`${changeSet.changes.length} changes`);
for (const mode of ['branch', 'apply'] as const) await landChanges({ changeSet, mode });
const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
process.stdout.write(String(Number(peakKiB) * 1024));
