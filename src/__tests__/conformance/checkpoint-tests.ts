import { expect } from 'bun:test';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { bytesOf, piecesOf, runIn } from './run-in.ts';
import { part, type Suite } from './suite.ts';

const FILE = '/home/sprite/state';

export function checkpointTests({ check, has }: Suite): void {
  check('saves states and goes back to them, keeping what was there', ['checkpoints'], async (subject) => {
    const { engine } = subject;
    const checkpoints = part(engine.checkpoints);
    await engine.start({ name: 'saved' });
    const read = async () => (await bytesOf(engine.files.read('saved', FILE))).toString();
    await engine.files.write('saved', FILE, piecesOf('one'));
    await using handle = await engine.openSession('saved', { command: ['sleep', '1000'] });
    const first = await checkpoints.create('saved', { comment: 'the first' });
    expect(first).toMatchObject({ id: 'v1', comment: 'the first', is_auto: false });
    expect((await engine.sessions('saved')).find(({ id }) => id === handle.id)?.state).toBe('running');
    await engine.files.write('saved', FILE, piecesOf('two'));
    const second = await checkpoints.create('saved');
    expect(second.id).toBe('v2');
    expect((await checkpoints.list('saved')).map(({ id }) => id).sort()).toEqual(['v1', 'v2']);
    if (has('checkpoint-get')) expect((await checkpoints.get('saved', 'v1')).comment).toBe('the first');
    const { restored, backup } = await checkpoints.restore('saved', 'v1');
    expect([restored.id, await read()]).toEqual(['v1', 'one']);
    expect((await engine.sessions('saved')).filter(({ state }) => state === 'running')).toEqual([]);
    expect((await runIn(subject, 'saved', ['cat', FILE])).stdout.toString()).toBe('one');
    await checkpoints.restore('saved', backup.id);
    expect(await read()).toBe('two');
    await checkpoints.remove('saved', 'v1');
    expect((await wreckitErrorOf(() => checkpoints.restore('saved', 'v1'))).code).toBe(
      'CHECKPOINT_NOT_FOUND',
    );
    for (const id of ['v99', '../v2', '', 'a?b'])
      expect([id, (await wreckitErrorOf(() => checkpoints.restore('saved', id))).code]).toEqual([
        id,
        'CHECKPOINT_NOT_FOUND',
      ]);
    expect(await read()).toBe('two');
    await engine.kill('saved');
  });

  check(
    'begins a sprite as a copy of another, independent from then on',
    ['checkpoints', 'from'],
    async ({ engine }) => {
      await engine.start({ name: 'origin' });
      await engine.files.write('origin', FILE, piecesOf('one'));
      await part(engine.checkpoints).create('origin');
      await engine.files.write('origin', FILE, piecesOf('two'));
      await engine.start({ name: 'copy', from: 'origin' });
      await engine.start({ name: 'older', from: 'origin@v1' });
      const read = async (name: string) => (await bytesOf(engine.files.read(name, FILE))).toString();
      expect([await read('copy'), await read('older')]).toEqual(['two', 'one']);
      await engine.files.write('copy', FILE, piecesOf('three'));
      expect(await read('origin')).toBe('two');
      for (const name of ['origin', 'copy', 'older']) await engine.kill(name);
    },
  );
}
