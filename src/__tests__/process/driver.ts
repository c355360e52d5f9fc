/**
 * Runs the cases on stdin (JSON) through `run` on whatever runtime executes this file, and prints one line of JSON
 * for each: the tests compare what Node and Bun make of the same source.
 */

import { readFileSync } from 'node:fs';
import { type RunOptions, type RunResult, run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';

export interface DriverCase {
  name: string;
  argv: string[];
  options?: RunOptions;
  /** Abort after so many milliseconds. */
  abortAfterMs?: number;
  /** Run it so often, one after the other; the result is the last, `shortRuns` says how many lacked output. */
  times?: number;
  expectBytes?: number;
  /** stdout goes to a sink that takes so long for each chunk. */
  slowSinkMs?: number;
  /** It takes all the CPU it gets: not beside others. */
  alone?: boolean;
}

export interface DriverResult extends Omit<RunResult, 'stdout' | 'stderr'> {
  name: string;
  stdoutBytes: number;
  stdoutHead: string;
  stderrBytes: number;
  /** The last line. */
  stderrTail: string;
  shortRuns: number;
  /** Of the slow sink. */
  sinkBytes: number;
  sinkCallsAtOnce: number;
  /** How long this process got no turn on a busy machine: no promise about time can hold for that. */
  starvedMs: number;
}

function slowSink(delayMs: number) {
  const seen = { bytes: 0, atOnce: 0, busy: 0 };
  const sink = async (chunk: Uint8Array): Promise<void> => {
    seen.busy += 1;
    seen.atOnce = Math.max(seen.atOnce, seen.busy);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    seen.bytes += chunk.length;
    seen.busy -= 1;
  };
  return { seen, sink };
}

const TICK_MS = 20;

/** Counts by how much a short timer comes late. */
function watchStarvation(): () => number {
  let starvedMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    starvedMs += Math.max(0, now - last - 2 * TICK_MS);
    last = now;
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return starvedMs + Math.max(0, performance.now() - last - 2 * TICK_MS);
  };
}

async function runCase(one: DriverCase): Promise<DriverResult> {
  const starved = watchStarvation();
  const { abortAfterMs, times = 1, expectBytes = 0, slowSinkMs } = one;
  const abort = new AbortController();
  const timer = abortAfterMs === undefined ? undefined : setTimeout(() => abort.abort(), abortAfterMs);
  const { seen, sink } = slowSink(slowSinkMs ?? 0);
  const sinkOption = slowSinkMs === undefined ? {} : { stdout: sink };
  const options = { ...one.options, ...sinkOption, signal: abort.signal };
  let shortRuns = 0;
  let result = await run(one.argv, options);
  for (let count = 1; ; count += 1) {
    if (result.stdout.length < expectBytes) shortRuns += 1;
    if (count >= times) break;
    result = await run(one.argv, options);
  }
  clearTimeout(timer);
  const { stdout, stderr, ...facts } = result;
  return {
    name: one.name,
    ...facts,
    stdoutBytes: stdout.length,
    stdoutHead: decodeUtf8(stdout.subarray(0, 80)),
    stderrBytes: stderr.length,
    stderrTail: decodeUtf8(stderr).trimEnd().split('\n').at(-1) ?? '',
    shortRuns,
    sinkBytes: seen.bytes,
    sinkCallsAtOnce: seen.atOnce,
    starvedMs: starved(),
  };
}

async function main(): Promise<void> {
  const cases = JSON.parse(readFileSync(0, 'utf8')) as DriverCase[];
  const print = async (one: DriverCase): Promise<void> => {
    process.stdout.write(`${JSON.stringify(await runCase(one))}\n`);
  };
  await Promise.all(cases.filter((one) => !one.alone).map(print));
  for (const one of cases.filter((one) => one.alone)) await print(one);
}

void main().then(() => process.exit(0));
