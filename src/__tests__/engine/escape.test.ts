/** Ways out of a sprite, tried for real; each must end in the refusal that is written with it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ATTEMPTS, type EscapeAttempt } from '../../engine/local/selftest/attempts.ts';
import { type Bait, layBait } from '../../engine/local/selftest/bait.ts';
import { runSelftest } from '../../engine/local/selftest/run-selftest.ts';
import { tryAttempt } from '../../engine/local/selftest/try-attempts.ts';
import { toWreckitError } from '../../errors.ts';
import { describeAsRoot } from '../helpers/as-root.ts';
import { type LocalSprite, localEngine, localSprite } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const isRoot = process.getuid?.() === 0;
let sprite: LocalSprite;
let dir: ReturnType<typeof tempDir>;
let bait: Bait & AsyncDisposable;

beforeAll(async () => {
  sprite = await localSprite(isRoot ? { memoryBytes: 256 * 1024 ** 2, pids: 128 } : {});
  dir = tempDir();
  bait = await layBait(dir.join('bait'));
});

afterAll(async () => {
  await bait[Symbol.asyncDispose]();
  dir[Symbol.dispose]();
  await sprite[Symbol.asyncDispose]();
});

/** Without root a machine may enforce no limits. */
const tried = ATTEMPTS.filter(({ limit }) => isRoot || limit === undefined);

describe('a sprite', () => {
  test.each(tried.map((attempt) => [attempt.name, attempt] as const))(
    'refuses: %s',
    async (_name, attempt) => {
      const subject = { engine: sprite.engine, sprite: 'demo', bait };
      const { status, said } = await tryAttempt(subject, attempt);
      expect({ status, said }).toEqual({ status: 'refused', said });
    },
  );

  test('lists no process but its own', async () => {
    await sprite.engine.stop('demo');
    expect((await sprite.exec('ls -d /proc/[0-9]* | wc -l', { user: 'root' })).stdout).toMatch(/^[1-9]$/m);
    expect((await sprite.exec('ls /dev/pts')).stdout).toBe('ptmx\n');
  });
});

describeAsRoot('limits', () => {
  test('leave the sprite usable after each bomb', async () => {
    for (const name of ['memory-bomb', 'fork-bomb']) {
      const bomb = ATTEMPTS.find((attempt) => attempt.name === name);
      if (bomb === undefined) throw new Error(name);
      await tryAttempt({ engine: sprite.engine, sprite: 'demo', bait }, bomb);
      if (name === 'fork-bomb') await sprite.engine.stop('demo');
      expect((await sprite.exec('echo still here')).stdout).toBe('still here\n');
    }
  });
});

describe('selftest', () => {
  const named = (name: string, command: string, more: Partial<EscapeAttempt> = {}): EscapeAttempt => ({
    name,
    does: name,
    user: 'sprite',
    command: () => command,
    refusal: /^1 .*denied/,
    ...more,
  });

  test('tells refused, got out, unclear and skipped apart, and leaves nothing', async () => {
    await using local = localEngine();
    const before = readdirSync(tmpdir());
    const attempts = [
      named('refused', 'echo denied; exit 1'),
      named('out', 'echo here I am'),
      named('otherwise', 'echo something else; exit 3'),
      named('lacking', 'true', { needs: 'no-such-program' }),
    ];
    const seen: string[] = [];
    const options = { onAttempt: ({ name }: { name: string }) => void seen.push(name) };
    const report = await runSelftest(local.engine, options, attempts);
    expect(report.attempts.map(({ status, said }) => [status, said])).toEqual([
      ['refused', '1 denied'],
      ['succeeded', '0 here I am'],
      ['unclear', '3 something else'],
      ['skipped', 'it takes no-such-program, which the sprite lacks'],
    ]);
    expect(seen).toEqual(['refused', 'out', 'otherwise', 'lacking']);
    expect(await local.engine.list()).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => !before.includes(name))).toEqual([]);
  });

  test('leaves nothing when it is interrupted', async () => {
    await using local = localEngine();
    const stop = new AbortController();
    const attempts = [named('first', 'echo denied; exit 1'), named('endless', 'sleep 600')];
    const onAttempt = (): void => stop.abort(new Error('enough'));
    const thrown = await runSelftest(local.engine, { signal: stop.signal, onAttempt }, attempts).then(
      () => null,
      toWreckitError,
    );
    expect(thrown?.message).toContain('enough');
    expect(await local.engine.list()).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('wisp-selftest-'))).toEqual([]);
  });
});
