import { expect, test } from 'bun:test';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import { wispEnv } from '../../agent/wisp-client/child-env.ts';
import { fakeWisp } from '../helpers/fake-wisp.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const CANARY = 'canary-6b1f0c3d';

test('wispEnv() lets through what wisp needs and nothing else', () => {
  const allowed = {
    PATH: '/bin',
    HOME: '/h',
    LANG: 'C',
    LC_ALL: 'C',
    TERM: 'xterm',
    XDG_STATE_HOME: '/s',
    WISP_HOME: '/w',
    https_proxy: 'p',
    SPRITES_TOKEN: 't',
  };
  const refused = {
    ANTHROPIC_API_KEY: CANARY,
    OPENAI_API_KEY: CANARY,
    AWS_SECRET_ACCESS_KEY: CANARY,
    GITHUB_TOKEN: CANARY,
    NODE_OPTIONS: CANARY,
    BUN_CONFIG_PRELOAD: CANARY,
    LD_PRELOAD: CANARY,
    SSH_AUTH_SOCK: CANARY,
    XDGISH: CANARY,
    wisp_home: CANARY,
  };
  expect(wispEnv({ ...allowed, ...refused })).toEqual(allowed);
});

test('wispEnv() puts the token given in the place of one in the environment', () => {
  const env = wispEnv({ SPRITES_TOKEN: 'old' }, { token: 'new' });
  expect(env).toEqual({ SPRITES_TOKEN: 'new', SPRITE_TOKEN: 'new' });
});

test('SpriteRunner hands no canary of the environment to wisp, and the token never in argv', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const env = { ...fake.env, ANTHROPIC_API_KEY: CANARY, MY_SECRET: CANARY, NODE_OPTIONS: '' };
  const runner = new SpriteRunner({ wispPath: fake.path, env, token: `token-${CANARY}` });
  await runner.start('demo');
  await runner.exec('demo', ['true'], { env: { INNER: `inner-${CANARY}` } });
  await runner.kill(['demo']);
  const calls = fake.calls().filter(({ argv }) => argv.length > 0);
  expect(calls.map(({ verb }) => verb)).toEqual(['version', 'start', 'exec', 'kill']);
  for (const call of calls) {
    expect(call.argv.join(' ')).not.toContain(CANARY);
    expect(call.env.SPRITES_TOKEN).toBe(`token-${CANARY}`);
    expect(Object.values(call.env).filter((value) => value === CANARY)).toEqual([]);
  }
});
