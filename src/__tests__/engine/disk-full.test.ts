/** A disk that gets full under a running sprite: nothing of it is lost, nothing half-made stays. */
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { describeAsRoot } from '../helpers/as-root.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { execIn } from '../helpers/local-sprite.ts';
import { type SmallDisk, withSmallDisk } from '../helpers/small-disk.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1024 * 1024;
const TIMEOUT_MS = 90_000;

/** An engine with all of its state, the sprite's disk included, on a disk of `sizeMib`; one sprite, "demo". */
async function onSmallDisk(
  sizeMib: number,
  use: (engine: LocalEngine, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  using dir = tempDir();
  await withSmallDisk(dir.join('wisp'), sizeMib, async (disk) => {
    const env = { ...process.env, WISP_HOME: disk.path };
    const engine = new LocalEngine({
      env,
      restartRules: { firstMs: 100, longestMs: 400, most: 100, steadyMs: 60_000 },
    });
    try {
      await engine.start({ name: 'demo' });
      await use(engine, disk);
    } finally {
      disk.makeRoom();
      for (const { name } of await engine.list()) await engine.kill(name);
    }
  });
}

describeAsRoot('on a full disk', () => {
  test(
    'a checkpoint that does not fit is refused; the sprite goes on, and the room is free again',
    () =>
      onSmallDisk(320, async (engine, disk) => {
        const sh = (command: string) => execIn(engine, 'demo', command);
        await sh('head -c 20000000 /dev/urandom > data; sha256sum data > sum');
        await engine.checkpoints.create('demo');
        disk.fill(8 * MIB);
        const free = disk.freeBytes();
        const error = await wreckitErrorOf(() => engine.checkpoints.create('demo'));
        expect(error.code).toBe('SPRITE_EXEC_FAILED');
        expect(error.message).toContain('No space left on device');
        expect(error.hint).toContain('free some space');
        expect((await engine.checkpoints.list('demo')).map(({ id }) => id)).toEqual(['v1']);
        expect(readdirSync(join(disk.path, 'sprites/demo/checkpoints'))).toEqual(['v1']);
        expect(Math.abs(disk.freeBytes() - free)).toBeLessThan(MIB);
        // Awake, and whole.
        expect((await sh('sha256sum -c sum')).stdout).toBe('data: OK\n');
        disk.makeRoom();
        expect((await engine.checkpoints.create('demo')).id).toBe('v2');
      }),
    TIMEOUT_MS,
  );

  test(
    'a restore that does not fit changes nothing, and the room is free again',
    () =>
      onSmallDisk(320, async (engine, disk) => {
        const sh = (command: string) => execIn(engine, 'demo', command);
        await sh('head -c 20000000 /dev/urandom > old');
        await engine.checkpoints.create('demo');
        await sh('rm old; echo new > new');
        disk.fill(8 * MIB);
        const free = disk.freeBytes();
        const error = await wreckitErrorOf(() => engine.checkpoints.restore('demo', 'v1'));
        expect([error.code, error.message]).toEqual([
          'SPRITE_EXEC_FAILED',
          expect.stringContaining('No space left on device'),
        ]);
        expect((await engine.info('demo')).state).toBe('running');
        expect((await sh('ls; cat new')).stdout).toBe('new\nproject\nnew\n');
        expect((await engine.checkpoints.list('demo')).map(({ id }) => id)).toEqual(['v1']);
        expect(Math.abs(disk.freeBytes() - free)).toBeLessThan(MIB);
        disk.makeRoom();
        await engine.checkpoints.restore('demo', 'v1');
        expect((await sh('ls')).stdout).toBe('old\nproject\n');
      }),
    TIMEOUT_MS,
  );

  test(
    'a service goes on, its log gives up its past and says so, and its end and its next start are known',
    () =>
      onSmallDisk(320, async (engine, disk) => {
        const { services } = engine;
        const script = 'seq 1 4000000; echo the end $$; exec sleep 1000';
        disk.fill(6 * MIB);
        await services.put('demo', 'web', { command: ['/bin/sh', '-c', script], needs: [], httpPort: null });
        const look = async () => {
          let [text, dropped] = ['', 0];
          for await (const { bytes, droppedBytes } of services.output('demo', 'web', {
            streams: ['stdout'],
          })) {
            text = (text + Buffer.from(bytes).toString('latin1')).slice(-200);
            dropped += droppedBytes;
          }
          return { ends: text.match(/the end \d+\n$/)?.[0] ?? null, dropped };
        };
        const first = await eventually(
          async () => {
            const seen = await look();
            return seen.ends === null ? null : seen;
          },
          { timeoutMs: 40_000, what: 'the end of what it writes' },
        );
        expect(first.dropped).toBeGreaterThan(10 * MIB);
        expect((await services.get('demo', 'web')).state).toMatchObject({
          status: 'running',
          restart_count: 0,
        });
        // It ends and is started again while there is no room at all.
        disk.fill(0);
        await services.signal('demo', 'web', 'KILL');
        await eventually(async () => (await services.get('demo', 'web')).state.restart_count === 1, {
          timeoutMs: 40_000,
          what: 'its second start',
        });
        await eventually(
          async () => {
            const { ends } = await look();
            return ends !== null && ends !== first.ends;
          },
          { timeoutMs: 40_000, what: 'the end of what it writes the second time' },
        );
      }),
    TIMEOUT_MS,
  );
});
