/** bun checkpoint-subject.ts SPRITE: prints how long a checkpoint of a change of 1 MB takes, in milliseconds. */
import { randomBytes } from 'node:crypto';
import { LocalEngine } from '../src/engine/local/local-engine.ts';
import { median } from './measure.ts';

const ROUNDS = 25;
const CHANGE_BYTES = 1_000_000;
const FILE = '/home/sprite/change';
const engine = new LocalEngine({ env: process.env });

/** Median of checkpoints, each after 1 MB was written anew. */
async function checkpoints(name: string): Promise<number> {
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    await change(name);
    const startedAt = performance.now();
    const { id } = await engine.checkpoints.create(name);
    if (round >= 0) times.push(performance.now() - startedAt);
    await engine.checkpoints.remove(name, id);
  }
  return median(times);
}

/** By a command: a small base has not all that file calls are made of. */
async function change(name: string): Promise<void> {
  const command = ['/bin/sh', '-c', `cat > ${FILE}`];
  await using session = await engine.openSession(name, { command, stdin: true });
  await session.write(randomBytes(CHANGE_BYTES));
  await session.closeStdin();
  await session.exit();
}

const [sprite = ''] = process.argv.slice(2);
process.stdout.write(String(await checkpoints(sprite)));
