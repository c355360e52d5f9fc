import { afterAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import {
  AttachDataSchema,
  DoctorDataSchema,
  ExecDataSchema,
  GcDataSchema,
  InfoDataSchema,
  KillDataSchema,
  ListDataSchema,
  SessionsDataSchema,
  StartDataSchema,
  VersionDataSchema,
} from '../../contract/schemas.ts';
import { localEngine } from '../helpers/local-sprite.ts';
import { WispProcess } from './wisp-process.ts';

const LIMIT_MS = 60_000;
const local = localEngine();
const wisp = new WispProcess(local.home);
afterAll(async () => await local[Symbol.asyncDispose](), LIMIT_MS);

test(
  'the documents of wisp have the shapes of the contract',
  async () => {
    const dataOf = async (...args: string[]) => {
      const { exitCode, document } = await wisp.json(args);
      expect(document).toMatchObject({ success: true });
      expect([0, 3]).toContain(exitCode ?? -1);
      return document.data;
    };
    VersionDataSchema.parse(await dataOf('version'));
    const flags = ['--label', 'team=web', '--ttl', '1h', '--env', 'GREETING=hello'];
    const started = StartDataSchema.parse(await dataOf('start', 'one', ...flags));
    expect(started).toMatchObject({
      created: true,
      sprite: { name: 'one', labels: { team: 'web' }, state: 'running' },
    });
    expect(StartDataSchema.parse(await dataOf('start', 'one')).created).toBe(false);
    const exec = ExecDataSchema.parse(
      await dataOf('exec', 'one', '--', 'sh', '-c', 'echo $GREETING; exit 3'),
    );
    expect(exec).toMatchObject({ exit_code: 3, stdout: 'hello\n' });
    await dataOf('exec', 'one', '--tty', '--detach', '--', 'sleep', '100');
    ListDataSchema.parse(await dataOf('list'));
    const info = InfoDataSchema.parse(await dataOf('info', 'one'));
    expect(info.sprite.sessions).toHaveLength(2);
    SessionsDataSchema.parse(await dataOf('sessions', 'one'));
    AttachDataSchema.parse(await dataOf('attach', 'one'));
    GcDataSchema.parse(await dataOf('gc', '--dry-run'));
    DoctorDataSchema.parse(await dataOf('doctor'));
    expect((await dataOf('stop', 'one')).sprite.state).toBe('cold');
    expect((await dataOf('wake', 'one')).sprite.state).toBe('running');
    expect(KillDataSchema.parse(await dataOf('kill', 'one'))).toEqual({ killed: ['one'] });
  },
  LIMIT_MS,
);

test(
  'wisp list finds by prefix and label; wisp kill by label removes only those',
  async () => {
    await Promise.all(
      ['a-1', 'a-2', 'b-1'].map((name) => wisp.run(['start', name, '--label', `group=${name[0]}`])),
    );
    const names = async (...args: string[]) =>
      (await wisp.json(['list', ...args])).document.data.sprites
        .map(({ name }: { name: string }) => name)
        .sort();
    expect(await names()).toEqual(['a-1', 'a-2', 'b-1']);
    expect(await names('--prefix', 'a-')).toEqual(['a-1', 'a-2']);
    expect(await names('--label', 'group=b')).toEqual(['b-1']);
    const { document } = await wisp.json(['kill', '--label', 'group=a']);
    expect(document.data.killed.sort()).toEqual(['a-1', 'a-2']);
    expect((await wisp.json(['kill', '--label', 'group=a'])).document.data.killed).toEqual([]);
    const text = await wisp.text(['list']);
    expect(text.stdout).toMatch(/^NAME .*\nb-1 +running /);
    await wisp.run(['kill', 'b-1']);
    expect((await wisp.text(['list'])).stdout).toContain('no sprites');
  },
  LIMIT_MS,
);

test(
  'wisp kill removes those there are, reports the others, and checks all names first',
  async () => {
    await wisp.run(['start', 'here']);
    const bad = await wisp.json(['kill', 'here', 'Not-A-Name']);
    expect(bad).toMatchObject({ exitCode: 2, document: { error: { code: 'SPRITE_NAME_INVALID' } } });
    expect((await wisp.json(['list'])).document.data.sprites).toHaveLength(1);
    const mixed = await wisp.json(['kill', 'gone', 'here']);
    expect(mixed).toMatchObject({
      exitCode: 3,
      document: { error: { code: 'SPRITE_NOT_FOUND', details: { killed: ['here'], not_killed: ['gone'] } } },
    });
    expect(readdirSync(`${local.home}/sprites`)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'every verb answers SPRITE_NOT_FOUND, exit 3, for a sprite there is not',
  async () => {
    for (const args of [
      ['info', 'nosuch'],
      ['stop', 'nosuch'],
      ['wake', 'nosuch'],
      ['kill', 'nosuch'],
      ['sessions', 'nosuch'],
      ['logs', 'nosuch', 's1'],
      ['kill-session', 'nosuch', 's1'],
      ['attach', 'nosuch'],
    ]) {
      const { exitCode, document } = await wisp.json(args);
      expect(document).toMatchObject({ success: false, verb: args[0], error: { code: 'SPRITE_NOT_FOUND' } });
      expect(exitCode).toBe(3);
    }
  },
  LIMIT_MS,
);
