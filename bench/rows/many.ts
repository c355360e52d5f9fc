/** Many sprites: started several at a time, what an idle one costs, and a long list against a short one. */
import { readFileSync } from 'node:fs';
import { call, callLater, compare } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row, ratioRow } from '../report.ts';
import type { World } from '../world.ts';

const AT_A_TIME = 8;
const BATCH = 50;
const MANY = 200;

export async function manyRows(world: World): Promise<Row[]> {
  const list = world.wreckit('sprite', 'list', '--json');
  const names = Array.from({ length: MANY }, (_, index) => `many-${index}`);

  const startedAt = performance.now();
  const failures = await startAll(world, names.slice(0, BATCH));
  const elapsedMs = performance.now() - startedAt;
  const resident = residentBytes(world, names[0] ?? '') / 1e6;

  // The short list is measured beside the long one: with another state directory that holds two sprites.
  const few = world.sibling();
  for (const name of ['few-1', 'few-2']) call(few.wreckit('sprite', 'start', name));
  const moreFailures = await startAll(world, names.slice(BATCH));
  const lists = compare(
    { run: () => call(list) },
    { run: () => call(few.wreckit('sprite', 'list', '--json')) },
    12,
  );

  const none: Limit = { kind: 'most', bound: 0, unit: ' failures' };
  const memory: Limit = { kind: 'most', bound: 4, unit: ' MB' };
  return [
    {
      what: `${BATCH} sprites started ${AT_A_TIME} at a time`,
      measured: `${milliseconds(elapsedMs)}, ${milliseconds(elapsedMs / BATCH)} each`,
      reference: '',
      value: `${failures + moreFailures} failures`,
      target: limitText(none),
      isMet: isWithin(failures + moreFailures, none),
    },
    {
      what: 'memory of an idle sprite',
      measured: `${resident.toFixed(2)} MB resident`,
      reference: '',
      value: `${resident.toFixed(1)} MB`,
      target: limitText(memory),
      isMet: isWithin(resident, memory),
    },
    ratioRow(`list of ${MANY} sprites`, lists, 'list of 2', { kind: 'most', bound: 2, unit: '×' }),
  ];
}

/** Starts them all, some at a time; returns how many failed. */
async function startAll(world: World, names: readonly string[]): Promise<number> {
  const waiting = [...names];
  let failures = 0;
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if ((await callLater(world.wreckit('--config', world.manyConfig, 'sprite', 'start', name))) !== 0)
        failures += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return failures;
}

/** Resident size of all its processes, pages they share with others counted in full. */
function residentBytes(world: World, name: string): number {
  const sizes = world.spriteProcesses(name).map((pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Rss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? Number.NaN) * 1024;
  });
  if (sizes.length === 0) throw new Error(`sprite ${name}: it has no processes`);
  return sizes.reduce((sum, size) => sum + size, 0);
}
