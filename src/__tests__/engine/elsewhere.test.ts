/** One state directory, asked from places whose environments differ: a login session, cron, sudo. */
import { expect, test } from 'bun:test';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { SpriteStore } from '../../engine/local/store.ts';
import { isSameProcess } from '../../process/identity.ts';
import { execIn } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const LIMIT_MS = 60_000;

function places() {
  const dir = tempDir();
  const base = {
    PATH: process.env.PATH ?? '',
    HOME: dir.path,
    WRECKIT_TEST_SCOPE: process.env.WRECKIT_TEST_SCOPE,
  };
  mkdirSync(dir.join('runtime'), { mode: 0o700 });
  const atLogin = new LocalEngine({ env: { ...base, XDG_RUNTIME_DIR: dir.join('runtime') } });
  const byCron = new LocalEngine({ env: base });
  const dirs = resolveStateDirs(base);
  const store = new SpriteStore(dirs);
  const initOf = (name: string) => {
    const { init } = store.read(name);
    if (init === null) throw new Error(`${name} has no first process`);
    return init;
  };
  const close = async () => {
    for (const { name } of await byCron.list()) await byCron.kill(name);
    dir[Symbol.dispose]();
  };
  return { base, atLogin, byCron, home: dirs.home, initOf, [Symbol.asyncDispose]: close };
}

test(
  'a sprite started in a login session is used and killed from elsewhere',
  async () => {
    await using at = places();
    await at.atLogin.start({ name: 'demo' });
    const init = at.initOf('demo');
    expect(await execIn(at.byCron, 'demo', 'echo here')).toMatchObject({ exitCode: 0, stdout: 'here\n' });
    await at.byCron.kill('demo');
    expect(isSameProcess(init)).toBe(false);
  },
  LIMIT_MS,
);

test(
  'a sprite is started where XDG_RUNTIME_DIR is of no use, as after su without a login',
  async () => {
    await using at = places();
    const env = { ...at.base, XDG_RUNTIME_DIR: '/proc/nowhere' };
    await new LocalEngine({ env }).start({ name: 'demo' });
    expect(await execIn(at.byCron, 'demo', 'echo here')).toMatchObject({ exitCode: 0, stdout: 'here\n' });
  },
  LIMIT_MS,
);

test('resolveStateDirs() does not depend on the working directory for a relative XDG_STATE_HOME', () => {
  const { home } = resolveStateDirs({ HOME: '/home/me', XDG_STATE_HOME: 'state' });
  expect(home).toBe('/home/me/.local/state/wisp');
});

test(
  'kill() ends the processes even where the runtime has forgotten the container',
  async () => {
    await using at = places();
    await at.atLogin.start({ name: 'demo' });
    const init = at.initOf('demo');
    const oci = join(at.home, 'run', 'oci');
    renameSync(oci, `${oci}.lost`);
    await at.byCron.kill('demo');
    expect(isSameProcess(init)).toBe(false);
  },
  LIMIT_MS,
);
