import { expect, test } from 'bun:test';
import type { StartSpec } from '../../engine/engine.ts';
import { assertSupported } from '../../engine/local/start-spec.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';

const REFUSED: readonly [spec: Omit<StartSpec, 'name'>, message: string][] = [
  [{ memoryBytes: 1024 }, 'memory: 1 KiB is too little, at least 16 MiB are needed'],
  [{ cpus: 0.001 }, 'cpus: 0.001 is not between 0.01 and 1024'],
  [{ pids: 15 }, 'pids: 15 is not a whole number between 16 and 4194304'],
  [{ pids: 4_194_305 }, 'pids: 4194305 is not a whole number between 16 and 4194304'],
  [{ ttlMs: 999 }, 'ttl: 999 ms is too short, at least 1s is needed'],
  [{ ttlMs: 36_501 * 86_400_000 }, 'ttl: more than 36500d, a hundred years, is too long'],
];

for (const [spec, message] of REFUSED) {
  test(`assertSupported() refuses ${JSON.stringify(spec)} before anything is made`, async () => {
    const { code, message: said } = await wreckitErrorOf(() =>
      assertSupported({ name: 'demo', ...spec }, false),
    );
    expect([code, said]).toEqual(['USAGE', message]);
  });
}

test('assertSupported() takes the ends of the ranges', () => {
  const ends: Omit<StartSpec, 'name'>[] = [{ ttlMs: 1000 }, { ttlMs: 36_500 * 86_400_000 }];
  for (const spec of ends) expect(() => assertSupported({ name: 'demo', ...spec }, false)).not.toThrow();
});
