/**
 * Times src/sync on a project of 10,000 files in git, with a plain directory for a sprite: what sync itself
 * costs, with real `tar`, `find`, `sh` and `git`, and without what an engine adds. A process of its own, on the
 * runtime the programs are shipped with; prints the medians as JSON.
 *
 *   bun bench/sync-subject.ts DIR
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localDirPort } from '../src/__tests__/sync/local-dir-port.ts';
import { pullChanges } from '../src/sync/pull.ts';
import { pushProject } from '../src/sync/push.ts';
import { median } from './measure.ts';

const FILE_COUNT = 10_000;
const ROUNDS = 7;

const [dir = ''] = process.argv.slice(2);
const root = join(dir, 'project');
const inside = join(dir, 'inside');
const port = localDirPort(inside);

/** About 4 KiB each, in 100 directories, committed and packed. */
function makeProject(): void {
  mkdirSync(root);
  for (let index = 0; index < FILE_COUNT; index += 1) {
    const at = join(root, `dir${index % 100}`);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, `file${index}.txt`), `line ${index}\n`.repeat(20 + ((index * 7919) % 600)));
  }
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'gc.auto=0', '-c', 'user.name=b', '-c', 'user.email=b@b', ...args], {
      cwd: root,
    });
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'base');
  git('gc', '--quiet');
}

async function timed(action: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

function shell(script: string, cwd = root): void {
  const done = spawnSync('sh', ['-c', script], { cwd, stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`${script}: ended with ${done.status}`);
}

function clear(): void {
  rmSync(inside, { recursive: true, force: true });
  rmSync(join(root, '.wreckit'), { recursive: true, force: true });
}

/** A B A B …; the first round of each warms caches and is not counted. */
async function compare(a: () => Promise<number>, b: () => Promise<number>): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [index, measure] of [a, b].entries()) {
      const elapsedMs = await measure();
      if (round >= 0) times[index]?.push(elapsedMs);
    }
  }
  return [median(times[0]), median(times[1])];
}

async function push(): Promise<[number, number]> {
  const result = await compare(
    async () => {
      clear();
      return await timed(() => pushProject({ root, port, isFresh: true }));
    },
    async () => {
      clear();
      mkdirSync(inside, { recursive: true });
      return await timed(() => shell(`tar -cf - . | tar -xf - -C '${inside}'`));
    },
  );
  clear();
  await pushProject({ root, port });
  return result;
}

const unchanged = (): Promise<[number, number]> =>
  compare(
    () => timed(() => pushProject({ root, port })),
    () => timed(() => shell('git status')),
  );

/** The same ten changes every time: the change sets are thrown away. */
async function pull(changes: number): Promise<number> {
  for (let index = 0; index < changes; index += 1) {
    appendFileSync(join(inside, `dir${index % 100}`, `file${index}.txt`), 'changed\n');
  }
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const elapsedMs = await timed(async () => {
      const changeSet = await pullChanges({ root, port });
      if (changeSet.changes.length !== changes) throw new Error(`${changeSet.changes.length} changes`);
    });
    if (round >= 0) times.push(elapsedMs);
  }
  return median(times);
}

makeProject();
const [pushMs, tarMs] = await push();
const [unchangedMs, statusMs] = await unchanged();
const noneMs = await pull(0);
const tenMs = await pull(10);
const thousandMs = await pull(1000);
process.stdout.write(JSON.stringify({ pushMs, tarMs, unchangedMs, statusMs, noneMs, tenMs, thousandMs }));
