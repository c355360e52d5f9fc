import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import { takeStartTicket } from '../../agent/start-ticket.ts';
import { type StartLimit, startWithinLimit } from '../../agent/start-within-limit.ts';
import { identify } from '../../process/identity.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { type FakeWisp, fakeWisp } from '../helpers/fake-wisp.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function setup(fake: FakeWisp, maxVMs: number): { runner: SpriteRunner; limit: StartLimit } {
  const runner = new SpriteRunner({ wispPath: fake.path, env: fake.env });
  return { runner, limit: { maxVMs, env: fake.env, wispPath: fake.path } };
}

test('startWithinLimit() starts up to maxVMs sprites and then says SPRITE_LIMIT, naming the limit', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const { runner, limit } = setup(fake, 2);
  await startWithinLimit(runner, limit, 'a');
  await startWithinLimit(runner, limit, 'b');
  const error = await wreckitErrorOf(() => startWithinLimit(runner, limit, 'c'));
  expect([error.code, error.exitCode]).toEqual(['SPRITE_LIMIT', 5]);
  expect(error.message).toBe('start sprite "c": there are 2 sprites, maxVMs allows 2');
  expect(error.details).toEqual({ budget: 'maxVMs', max_vms: 2, sprites: 2 });
  expect((await runner.list()).map(({ name }) => name)).toEqual(['a', 'b']);
  expect((await startWithinLimit(runner, limit, 'a')).created).toBe(false);
  await runner.kill(['a']);
  expect((await startWithinLimit(runner, limit, 'c')).created).toBe(true);
});

test('startWithinLimit() makes one call of a wisp that counts itself, and says its refusal in the words of the configuration', async () => {
  using dir = tempDir();
  const version = { engine: 'fake', protocol: 1, version: '1', capabilities: ['max-sprites'], isolation: [] };
  const error = { code: 'SPRITE_LIMIT', message: 'no', details: { max_sprites: 3, sprites: 4 } };
  const fake = fakeWisp(dir, {
    version: { stdout: { success: true, data: version } },
    start: { stdout: { success: false, error }, exit: 5 },
  });
  const { runner, limit } = setup(fake, 3);
  const refusal = await wreckitErrorOf(() => startWithinLimit(runner, limit, 'c'));
  expect(refusal.message).toBe('start sprite "c": there are 4 sprites, maxVMs allows 3');
  expect(fake.verbs()).toEqual(['start']);
  expect(fake.calls().at(-1)?.argv).toEqual(['start', '--json', 'c', '--max-sprites', '3']);
});

test('startWithinLimit() never goes beyond the limit with many at once, and fills it', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const { runner, limit } = setup(fake, 3);
  await runner.list();
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const results = await Promise.allSettled(names.map((name) => startWithinLimit(runner, limit, name)));
  const started = results.filter(({ status }) => status === 'fulfilled').length;
  expect(started).toBe(3);
  expect(await runner.list()).toHaveLength(3);
});

test('startWithinLimit() takes two starts of one name for one sprite', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const { runner, limit } = setup(fake, 1);
  await Promise.all([startWithinLimit(runner, limit, 'a'), startWithinLimit(runner, limit, 'a')]);
  expect(await runner.list()).toHaveLength(1);
});

test('startWithinLimit() starts nothing when the sprites cannot be counted', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir, { list: { stdout: 'oops' } });
  const { runner, limit } = setup(fake, 5);
  expect((await wreckitErrorOf(() => startWithinLimit(runner, limit, 'a'))).code).toBe('WISP_PROTOCOL');
  expect(fake.verbs()).toEqual(['list']);
});

test('takeStartTicket() sees earlier tickets of living processes alone, and is gone at the end', () => {
  using dir = tempDir();
  const env = { XDG_STATE_HOME: dir.path };
  const tickets = dir.join('wreckit', 'starting', 'x');
  mkdirSync(tickets, { recursive: true });
  const dead = { ...identify(process.pid), startTime: '1' };
  writeFileSync(join(tickets, '1'), JSON.stringify({ name: 'left-by-a-killed-process', process: dead }));
  writeFileSync(join(tickets, '2'), '{"name":');
  writeFileSync(join(tickets, '3'), '{"name":"x","process":{"pid":"1"}}');
  writeFileSync(join(tickets, 'notes.txt'), '');
  {
    using first = takeStartTicket('a', 'x', env);
    using second = takeStartTicket('b', 'x', env);
    using third = takeStartTicket('a', 'x', env);
    using elsewhere = takeStartTicket('c', 'y', env);
    expect([...first.earlier]).toEqual([]);
    expect([...second.earlier]).toEqual(['a']);
    expect([...third.earlier]).toEqual(['b']);
    expect([...elsewhere.earlier]).toEqual([]);
  }
  expect(readdirSync(tickets)).toEqual(['notes.txt']);
});
