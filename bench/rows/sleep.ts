/**
 * Sleep and saved states, asked of the engine as `wisp serve` asks it: a frozen sprite woken, against the runtime's
 * own resume; a checkpoint of 1 MB, of a sprite whose base is this machine against one whose base is nearly empty.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tinyImage } from '../../src/__tests__/helpers/tiny-image.ts';
import { LocalEngine } from '../../src/engine/local/local-engine.ts';
import { freezerOf } from '../../src/engine/local/sleep/freezer.ts';
import { packageRoot } from '../../src/package-root.ts';
import { call, median } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row } from '../report.ts';
import type { World } from '../world.ts';

const ROUNDS = 25;

export async function sleepRows(world: World): Promise<Row[]> {
  const engine = new LocalEngine({ env: world.env });
  call(world.wreckit('sprite', 'start', 'sleeper'));
  const image = join(world.dir, 'image');
  mkdirSync(image);
  call(world.wreckit('sprite', 'start', 'small', '--image', tinyImage(image)));
  const bundle = world.rawBundle('sleeper');
  call(world.raw('run', '--detach', '--bundle', bundle, 'raw'));
  try {
    return [await wakeRow(world, engine), ...checkpointRows(world)];
  } finally {
    call(world.raw('delete', '--force', 'raw'));
    call(world.wreckit('sprite', 'kill', 'sleeper', 'small'));
  }
}

async function wakeRow(world: World, engine: LocalEngine): Promise<Row> {
  const own: number[] = [];
  const reference: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    freeze(world, 'sleeper');
    const ownMs = await timed(() => engine.wake('sleeper'));
    call(world.raw('pause', 'raw'));
    const rawMs = await timed(async () => call(world.raw('resume', 'raw')));
    if (round < 0) continue;
    own.push(ownMs);
    reference.push(rawMs);
  }
  const limit: Limit = { kind: 'most', bound: 20, unit: ' ms' };
  return {
    what: 'wake from warm',
    measured: milliseconds(median(own)),
    reference: `${world.runtime} resume: ${milliseconds(median(reference))}`,
    value: milliseconds(median(own)),
    target: limitText(limit),
    isMet: isWithin(median(own), limit),
  };
}

/** As the sleeper does it. */
function freeze(world: World, name: string): void {
  const record = JSON.parse(readFileSync(join(world.dir, 'state', 'sprites', name, 'record.json'), 'utf8'));
  const freezer = freezerOf(record.init.pid, `wisp-${record.id}`);
  if (freezer === null) throw new Error('bench: this machine can not freeze a sprite');
  do writeFileSync(freezer.file, freezer.freeze);
  while (!readFileSync(freezer.state, 'utf8').split('\n').includes(freezer.frozenLine));
}

function checkpointRows(world: World): Row[] {
  const large = checkpoints(world, 'sleeper');
  const small = checkpoints(world, 'small');
  const most: Limit = { kind: 'most', bound: 50, unit: ' ms' };
  // The same work on either base; the rest is the machine's own unrest.
  const same: Limit = { kind: 'most', bound: 1.5, unit: '×' };
  return [
    {
      what: 'checkpoint of a 1 MB change, while it runs',
      measured: milliseconds(large),
      reference: '',
      value: milliseconds(large),
      target: limitText(most),
      isMet: isWithin(large, most),
    },
    {
      what: 'the same, of this machine as base',
      measured: milliseconds(large),
      reference: `of a base of a few MB: ${milliseconds(small)}`,
      value: `${(large / small).toFixed(2)}×`,
      target: limitText(same),
      isMet: isWithin(large / small, same),
    },
  ];
}

/** Median, on the runtime that the programs are shipped with; this process runs on Node. */
function checkpoints(world: World, name: string): number {
  const bun = join(packageRoot(), 'node_modules', '.bin', 'bun');
  const subject = join(packageRoot(), 'bench', 'checkpoint-subject.ts');
  const options = { env: world.env, encoding: 'utf8', timeout: 120_000 } as const;
  return Number(execFileSync(bun, [subject, name], options));
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}
