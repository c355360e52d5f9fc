import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DriverCase, DriverResult } from './driver.ts';

export const RUNTIMES = {
  node: ['node', '--import', 'tsx'],
  bun: [process.execPath],
} as const;

export type RuntimeName = keyof typeof RUNTIMES;

/** Runs the cases under the runtime named; throws when the driver itself ends badly. */
export function drive(runtime: RuntimeName, cases: DriverCase[]): Map<string, DriverResult> {
  const [program, ...args] = RUNTIMES[runtime];
  const driver = fileURLToPath(new URL('./driver.ts', import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(program, [...args, driver], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0 || stderr !== '') {
    throw new Error(
      `driver on ${runtime}: exit ${status} ${error ?? ''} ${stderr} (apt-get install -y nodejs)`,
    );
  }
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DriverResult);
  return new Map(results.map((result) => [result.name, result]));
}
