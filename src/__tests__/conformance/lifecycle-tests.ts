import { expect } from 'bun:test';
import { CheckSchema, SpriteSchema } from '../../contract/schemas.ts';
import type { SpriteEngine } from '../../engine/engine.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { bytesOf, piecesOf, runIn } from './run-in.ts';
import type { Suite } from './suite.ts';

type Call = (engine: SpriteEngine, name: string) => unknown;

/** Every call about one sprite that is in all engines. */
const CALLS: Readonly<Record<string, Call>> = {
  info: (engine, name) => engine.info(name),
  wake: (engine, name) => engine.wake(name),
  kill: (engine, name) => engine.kill(name),
  sessions: (engine, name) => engine.sessions(name),
  session: async (engine, name) => await (await engine.session(name, 's1')).info(),
  killSession: (engine, name) => engine.killSession(name, 's1'),
  openSession: (engine, name) => engine.openSession(name, { command: ['true'] }),
  'files.read': (engine, name) => bytesOf(engine.files.read(name, '/etc/hosts')),
  'files.write': (engine, name) => engine.files.write(name, '/tmp/x', piecesOf('x')),
  'files.list': (engine, name) => engine.files.list(name, '/'),
  'files.remove': (engine, name) => engine.files.remove(name, '/tmp/x'),
  'files.makeDir': (engine, name) => engine.files.makeDir(name, '/tmp/x'),
  'files.move': (engine, name) => engine.files.move(name, '/tmp/x', '/tmp/y'),
  'files.chmod': (engine, name) => engine.files.chmod(name, '/tmp/x', '0644'),
};

/** Those of what an engine may lack. */
const MORE: Readonly<
  Record<string, readonly [need: 'stop' | 'checkpoints' | 'services' | 'ports' | 'policy', Call]>
> = {
  stop: ['stop', (engine, name) => engine.stop(name)],
  'checkpoints.create': ['checkpoints', (engine, name) => engine.checkpoints?.create(name)],
  'checkpoints.list': ['checkpoints', (engine, name) => engine.checkpoints?.list(name)],
  'services.list': ['services', (engine, name) => engine.services?.list(name)],
  'ports.list': ['ports', (engine, name) => engine.ports?.list(name)],
  'policy.network.get': ['policy', (engine, name) => engine.policy?.network?.get(name)],
};

const BAD_NAMES = [
  '',
  'A',
  'a_b',
  '../../v1/organizations/x',
  'a?force=true',
  'a/../b',
  '-o',
  'a\nb',
  'a'.repeat(64),
  '%2e%2e',
];

export function lifecycleTests({ check, has, shared }: Suite): void {
  const calls = Object.entries(CALLS);
  for (const [title, [need, call]] of Object.entries(MORE)) if (has(need)) calls.push([title, call]);

  check('starts a sprite once, lists, describes and kills it', [], async ({ engine }) => {
    const first = await engine.start({ name: 'life', labels: { team: 'web' } });
    expect(first.created).toBe(true);
    expect(SpriteSchema.parse(first.sprite)).toMatchObject({
      name: 'life',
      state: 'running',
      labels: { team: 'web' },
      error: null,
    });
    const again = await engine.start({ name: 'life' });
    expect([again.created, again.sprite.id]).toEqual([false, first.sprite.id]);
    const listed = (await engine.list({ prefix: 'li' })).map((sprite) => SpriteSchema.parse(sprite));
    expect(listed.map(({ name, id }) => [name, id])).toEqual([['life', first.sprite.id]]);
    expect(await engine.list({ prefix: 'nothing' })).toEqual([]);
    expect((await engine.list()).map(({ name }) => name).sort()).toEqual(['life', shared]);
    const info = SpriteSchema.parse(await engine.info('life'));
    expect([info.id, info.labels, info.sessions]).toEqual([first.sprite.id, { team: 'web' }, []]);
    expect(Math.abs(Date.now() - Date.parse(info.created_at))).toBeLessThan(600_000);
    await engine.kill('life');
    expect((await wreckitErrorOf(() => engine.info('life'))).code).toBe('SPRITE_NOT_FOUND');
    expect((await wreckitErrorOf(() => engine.kill('life'))).code).toBe('SPRITE_NOT_FOUND');
    expect((await engine.list()).map(({ name }) => name)).toEqual([shared]);
  });

  check('takes no sprite that is there for one with another network', ['policy'], async ({ engine }) => {
    await engine.start({ name: 'other', network: 'none' });
    const error = await wreckitErrorOf(() => engine.start({ name: 'other', network: 'filtered' }));
    expect([error.code, error.details.different]).toEqual(['SPRITE_EXISTS', ['network']]);
    expect((await engine.start({ name: 'other', network: 'none' })).created).toBe(false);
    expect((await engine.info('other')).network).toBe('none');
    await engine.kill('other');
  });

  check(
    'makes a sprite anew under a name that was used, with nothing of the old one',
    [],
    async ({ engine }) => {
      const { sprite: first } = await engine.start({ name: 'anew' });
      await engine.files.write('anew', '/home/sprite/left', piecesOf('x'));
      await engine.kill('anew');
      const { sprite: second, created } = await engine.start({ name: 'anew' });
      expect([created, second.name]).toEqual([true, first.name]);
      expect((await wreckitErrorOf(() => engine.files.list('anew', '/home/sprite/left'))).code).toBe(
        'PATH_INVALID',
      );
      await engine.kill('anew');
    },
  );

  check('finds sprites by label', ['label-filter'], async ({ engine }) => {
    await engine.start({ name: 'labelled', labels: { team: 'web', plain: '' } });
    const names = async (labels: Record<string, string>) =>
      (await engine.list({ labels })).map(({ name }) => name);
    expect(await names({ team: 'web' })).toEqual(['labelled']);
    expect(await names({ team: 'web', plain: '' })).toEqual(['labelled']);
    expect(await names({ team: 'we' })).toEqual([]);
    expect(await names({ team: 'web', other: '' })).toEqual([]);
    await engine.kill('labelled');
  });

  check('changes labels, all of them at once', ['update'], async ({ engine }) => {
    await engine.start({ name: 'changed', labels: { a: '1' } });
    expect((await engine.update('changed', { labels: { b: '2' } })).labels).toEqual({ b: '2' });
    expect((await engine.info('changed')).labels).toEqual({ b: '2' });
    await engine.kill('changed');
  });

  check('stops a sprite, keeps its files, and wakes it by name or by use', ['stop'], async (subject) => {
    const { engine } = subject;
    await engine.start({ name: 'cold' });
    await engine.files.write('cold', '/home/sprite/kept', piecesOf('kept'));
    expect((await engine.stop('cold')).state).toBe('cold');
    expect((await engine.info('cold')).state).toBe('cold');
    expect((await engine.list({ prefix: 'cold' }))[0]?.state).toBe('cold');
    expect((await engine.wake('cold')).state).toBe('running');
    expect((await bytesOf(engine.files.read('cold', '/home/sprite/kept'))).toString()).toBe('kept');
    await engine.stop('cold');
    expect((await runIn(subject, 'cold', ['true'])).exitCode).toBe(0);
    await engine.stop('cold');
    expect((await engine.start({ name: 'cold' })).created).toBe(false);
    expect((await engine.info('cold')).state).toBe('running');
    await engine.stop('cold');
    await engine.kill('cold');
    expect(await engine.list({ prefix: 'cold' })).toEqual([]);
  });

  check('knows no sprite that is not there, whatever is asked of it', [], async ({ engine }) => {
    for (const [title, call] of calls) {
      const { code } = await wreckitErrorOf(() => call(engine, 'nosuch'));
      expect([title, code]).toEqual([title, 'SPRITE_NOT_FOUND']);
    }
    expect((await engine.list()).map(({ name }) => name)).toEqual([shared]);
  });

  check('makes nothing of a name that is none, and leads nowhere else', [], async ({ engine }) => {
    for (const name of BAD_NAMES) {
      expect([name, (await wreckitErrorOf(() => engine.start({ name }))).code]).toEqual([
        name,
        'SPRITE_NAME_INVALID',
      ]);
      for (const [title, call] of calls) {
        const { code } = await wreckitErrorOf(() => call(engine, name));
        expect([
          title,
          name,
          code === 'SPRITE_NAME_INVALID' || code === 'SPRITE_NOT_FOUND' ? 'refused' : code,
        ]).toEqual([title, name, 'refused']);
      }
    }
    expect((await engine.list()).map(({ name }) => name)).toEqual([shared]);
  });

  check('starts several of one name at the same time as one', [], async ({ engine }) => {
    const all = await Promise.all([1, 2, 3].map(() => engine.start({ name: 'twins' })));
    expect(new Set(all.map(({ sprite }) => sprite.id)).size).toBe(1);
    expect(all.filter(({ created }) => created).length).toBeLessThanOrEqual(1);
    expect((await engine.list({ prefix: 'twins' })).length).toBe(1);
    await engine.kill('twins');
  });

  check('begins nothing for who has left already', [], async ({ engine }) => {
    const signal = AbortSignal.abort(new Error('left'));
    await expect(engine.start({ name: 'left' }, { signal })).rejects.toThrow();
    await expect(
      engine.openSession(shared, { command: ['touch', '/tmp/left'] }, { signal }),
    ).rejects.toThrow();
    expect((await engine.list()).map(({ name }) => name)).toEqual([shared]);
  });

  check('has nothing to collect, and checks that say what they are about', [], async ({ engine }) => {
    expect((await engine.gc({ dryRun: true })).removed).toEqual([]);
    expect((await engine.list()).map(({ name }) => name)).toEqual([shared]);
    for (const item of await engine.doctor()) expect(CheckSchema.parse(item).name).not.toBe('');
  });
}
