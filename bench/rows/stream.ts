/** 1 GiB of a command's output through both programs, against the runtime and a pipe; and what they hold of it. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { formatBytes } from '../../src/contract/units.ts';
import { type Command, call, median } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row } from '../report.ts';
import type { World } from '../world.ts';

const SIZE_BYTES = 1024 ** 3;
const ROUNDS = 3;
const GENERATE = ['head', '-c', String(SIZE_BYTES), '/dev/zero'];

interface Streamed {
  readonly elapsedMs: number;
  /** Peaks of the programs that stay between the command and the reader, added up. */
  readonly residentBytes: number;
}

export async function streamRows(world: World): Promise<Row[]> {
  call(world.wreckit('sprite', 'start', 'stream'));
  const bundle = world.rawBundle('stream');
  call(world.raw('run', '--detach', '--bundle', bundle, 'raw'));
  const own: Streamed[] = [];
  const reference: Streamed[] = [];
  const exec = world.wreckit('sprite', 'exec', 'stream', '--', ...GENERATE);
  for (let round = 0; round < ROUNDS; round += 1) {
    own.push(await stream(exec.argv, exec));
    const raw = world.raw('exec', 'raw', ...GENERATE);
    reference.push(await stream(['/bin/sh', '-c', '"$@" | cat', 'sh', ...raw.argv], raw));
  }
  call(world.raw('delete', '--force', 'raw'));
  call(world.wreckit('sprite', 'kill', 'stream'));

  const ownMs = median(own.map(({ elapsedMs }) => elapsedMs));
  const referenceMs = median(reference.map(({ elapsedMs }) => elapsedMs));
  const residentMiB = Math.max(...own.map(({ residentBytes }) => residentBytes)) / 1024 ** 2;
  const speed: Limit = { kind: 'least', bound: 0.5, unit: '×' };
  const memory: Limit = { kind: 'most', bound: 150, unit: ' MB' };
  const throughput = (elapsedMs: number): string => `${formatBytes(SIZE_BYTES / (elapsedMs / 1000))}/s`;
  const megabytes = (residentMiB * 1024 ** 2) / 1e6;
  return [
    {
      what: '1 GiB through wreckit sprite exec',
      measured: `${milliseconds(ownMs)}, ${throughput(ownMs)}`,
      reference: `${world.runtime} exec … | cat: ${throughput(referenceMs)}`,
      value: `${(referenceMs / ownMs).toFixed(2)}×`,
      target: limitText(speed),
      isMet: isWithin(referenceMs / ownMs, speed),
    },
    {
      what: 'memory of wreckit and wisp meanwhile',
      measured: `${megabytes.toFixed(1)} MB at most`,
      reference: '',
      value: `${megabytes.toFixed(0)} MB`,
      target: limitText(memory),
      isMet: isWithin(megabytes, memory),
    },
  ];
}

/** Reads all of its output and drops it. */
function stream([program, ...args]: Command['argv'], { cwd, env }: Command): Promise<Streamed> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const peaks = new Map<number, number>();
    const timer = setInterval(() => notePeaks(child.pid ?? 0, peaks), 100);
    let sizeBytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearInterval(timer);
      const elapsedMs = performance.now() - startedAt;
      const residentBytes = [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
      if (status === 0 && sizeBytes === SIZE_BYTES) resolve({ elapsedMs, residentBytes });
      else reject(new Error(`${program} ${args.join(' ')}: ended with ${status} after ${sizeBytes} bytes`));
    });
  });
}

/** Peak resident size so far of `root` and its descendants that run on one of our runtimes. */
function notePeaks(root: number, peaks: Map<number, number>): void {
  const statuses = new Map<number, { parent: number; name: string; peakBytes: number }>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = readStatus(Number(entry));
    if (status) statuses.set(Number(entry), status);
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (statuses.has(pid) && isBelow(statuses.get(pid)?.parent ?? 0));
  for (const [pid, { name, peakBytes }] of statuses) {
    if (/^(bun|node|wisp|wreckit)/.test(name) && isBelow(pid)) peaks.set(pid, peakBytes);
  }
}

function readStatus(pid: number): { parent: number; name: string; peakBytes: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '0';
    return { parent: Number(field('PPid')), name: field('Name'), peakBytes: Number(field('VmHWM')) * 1024 };
  } catch {
    return null; // It ended meanwhile.
  }
}
