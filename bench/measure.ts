/** Times programs against a reference, both in the same minute on the same machine: A B A B …, then medians. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One round of something that is timed as a whole; what must happen around it is not. */
export interface Subject {
  readonly before?: () => void;
  readonly run: () => void;
  readonly after?: () => void;
}

/**
 * Runs it to its end with its output dropped. Throws unless it ends with 0. Errors go to a file: a container
 * that stays would hold a pipe open, and the wait with it.
 */
export function call({ argv, cwd, env }: Command): void {
  const [program, ...args] = argv;
  const errors = join(tmpdir(), `wreckit-bench-errors-${process.pid}`);
  const fd = openSync(errors, 'w+');
  try {
    const result = spawnSync(program, args, { cwd, env, stdio: ['ignore', 'ignore', fd], timeout: 120_000 });
    if (result.status === 0) return;
    const reason = readFileSync(errors, 'utf8').trim();
    throw new Error(`${argv.join(' ')}: ended with ${result.status ?? result.signal}: ${reason}`);
  } finally {
    closeSync(fd);
    rmSync(errors, { force: true });
  }
}

/** As `call`, without blocking: for several at a time. Resolves to the exit status. */
export function callLater({ argv, cwd, env }: Command): Promise<number | null> {
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: 'ignore', timeout: 120_000 });
    child.on('error', () => resolve(null));
    child.on('exit', (status) => resolve(status));
  });
}

export interface Comparison {
  readonly medianMs: number;
  readonly referenceMs: number;
}

/** `rounds` of each, taking turns; a first round of each warms caches and is not counted. */
export function compare(subject: Subject, reference: Subject, rounds: number): Comparison {
  const times: readonly [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, { before, run, after }] of [subject, reference].entries()) {
      before?.();
      const startedAt = performance.now();
      run();
      const elapsedMs = performance.now() - startedAt;
      after?.();
      if (round >= 0) times[index]?.push(elapsedMs);
    }
  }
  return { medianMs: median(times[0]), referenceMs: median(times[1]) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
