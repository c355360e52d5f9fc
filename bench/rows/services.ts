/** What services cost while they have nothing to do: 100 sprites with one each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callLater } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row } from '../report.ts';
import type { World } from '../world.ts';

const SPRITES = 100;
const AT_A_TIME = 8;
const WATCHED_MS = 10_000;
/** Of /proc/PID/stat, per second, on every Linux that there is. */
const TICKS_PER_SECOND = 100;

export async function serviceRows(world: World): Promise<Row[]> {
  const names = Array.from({ length: SPRITES }, (_, index) => `served-${index}`);
  const startFailures = await forAll(names, (name) =>
    world.wreckit('--config', world.manyConfig, 'sprite', 'start', name),
  );
  const before = memoryOf(servants(world));
  const startedAt = performance.now();
  const failures = await forAll(names, (name) =>
    world.wreckit('sprite', 'service', 'add', name, 'web', '--', 'sleep', '1000000'),
  );
  const elapsedMs = performance.now() - startedAt;

  const pids = servants(world);
  const bytes = (memoryOf(pids) - before) / SPRITES / 1e6;
  const cpuBefore = cpuSeconds(pids);
  await sleep(WATCHED_MS);
  const cpuPercent = ((cpuSeconds(pids) - cpuBefore) / (WATCHED_MS / 1000)) * 100;

  const none: Limit = { kind: 'most', bound: 0, unit: ' failures' };
  const memory: Limit = { kind: 'most', bound: 4, unit: ' MB' };
  const cpu: Limit = { kind: 'most', bound: 1, unit: ' %' };
  return [
    {
      what: `a service added to each of ${SPRITES} sprites, ${AT_A_TIME} at a time`,
      measured: `${milliseconds(elapsedMs)}, ${milliseconds(elapsedMs / SPRITES)} each`,
      reference: '',
      value: `${startFailures + failures} failures`,
      target: limitText(none),
      isMet: isWithin(startFailures + failures, none),
    },
    {
      what: 'memory of an idle service: what keeps it running and its logs',
      measured: `${bytes.toFixed(2)} MB proportional, ${(pids.length / SPRITES).toFixed(1)} processes`,
      reference: '',
      value: `${bytes.toFixed(1)} MB`,
      target: limitText(memory),
      isMet: isWithin(bytes, memory),
    },
    {
      what: `CPU of ${SPRITES} sprites with a service each, idle`,
      measured: `over ${milliseconds(WATCHED_MS)}`,
      reference: '',
      value: `${cpuPercent.toFixed(2)} %`,
      target: limitText(cpu),
      isMet: isWithin(cpuPercent, cpu),
    },
  ];
}

/** Runs a command for each name, some at a time; returns how many failed. */
async function forAll(
  names: readonly string[],
  commandOf: (name: string) => Parameters<typeof callLater>[0],
) {
  const waiting = [...names];
  let failures = 0;
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if ((await callLater(commandOf(name))) !== 0) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return failures;
}

/** On the host, by the service's directory in their arguments, and what they have started. */
function servants(world: World): number[] {
  const mark = join(world.dir, 'state', 'sprites');
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const named = new Set(all.filter((pid) => textOf(`/proc/${pid}/cmdline`).includes(mark)));
  const children = all.filter((pid) => named.has(/\) \S (\d+)/.exec(textOf(`/proc/${pid}/stat`))?.[1] ?? ''));
  return [...new Set([...named, ...children])].map(Number);
}

/** A page that several share counts in part for each. */
function memoryOf(pids: readonly number[]): number {
  return pids
    .map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024)
    .reduce((sum, size) => sum + size, 0);
}

function cpuSeconds(pids: readonly number[]): number {
  return pids
    .map((pid) => {
      const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
    })
    .reduce((sum, seconds) => sum + seconds, 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
