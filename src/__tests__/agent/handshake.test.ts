import { expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { type FakeScenario, type FakeWisp, fakeWisp } from '../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

function runnerOf(fake: FakeWisp, wispPath = fake.path): SpriteRunner {
  return new SpriteRunner({ wispPath, env: fake.env });
}

function scriptAt(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const FAULTS: readonly [what: string, scenario: FakeScenario, message: string][] = [
  ['garbage', { version: { stdout: 'wisp 0.3 (terminal)\n' } }, 'wisp 0.3 (terminal)'],
  ['its help and fails', { version: { stderr: 'unknown flag: --json\n', exit: 2 } }, 'unknown flag'],
  ['nothing', { version: {} }, 'it printed nothing'],
  ['JSON of something else', { version: { stdout: { success: true, data: { tag: 1 } } } }, 'tag'],
  [
    'a newer protocol',
    { version: { stdout: { engine: 'x', protocol: 2, version: '9' } } },
    'protocol 2, not 1',
  ],
  ['by dying', { version: { signal: 'SIGKILL' } }, 'SIGKILL'],
  ['with a flood', { version: { flood_bytes: 5_000_000 } }, 'more than 64 KiB'],
];

for (const [what, scenario, message] of FAULTS) {
  test(`the handshake refuses a program that answers with ${what}, and runs nothing else of it`, async () => {
    using dir = tempDir();
    const fake = fakeWisp(dir, scenario);
    const error = await wreckitErrorOf(() => runnerOf(fake).list());
    expect([error.code, error.exitCode]).toEqual(['WISP_INCOMPATIBLE', 6]);
    expect(error.message).toContain(message);
    expect(error.message).toContain(fake.path);
    expect(error.hint).toContain('agent.wispPath');
    expect(fake.verbs()).toEqual([]);
    expect(readdirSync(fake.env.XDG_CACHE_HOME ?? '')).toEqual([]);
  });
}

test("the handshake keeps an error that is wisp's own answer", async () => {
  using dir = tempDir();
  const error = { code: 'ENGINE_UNAVAILABLE', message: 'the engine is down' };
  const fake = fakeWisp(dir, { version: { stdout: { success: false, error }, exit: 0 } });
  const thrown = await wreckitErrorOf(() => runnerOf(fake).list());
  expect([thrown.code, thrown.message]).toEqual(['ENGINE_UNAVAILABLE', 'the engine is down']);
});

test('the handshake says that the interpreter of a script is missing', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const path = scriptAt(dir.join('script'), '#!/no/such/interpreter\n');
  const error = await wreckitErrorOf(() => runnerOf(fake, path).list());
  expect(error.code).toBe('WISP_INCOMPATIBLE');
  expect(error.message).toContain('interpreter');
});

test('the handshake refuses a file that is executable but no program', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const path = dir.join('image');
  writeFileSync(path, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 0]), { mode: 0o755 });
  const error = await wreckitErrorOf(() => runnerOf(fake, path).list());
  expect(error.code).toBe('WISP_INCOMPATIBLE');
});

test('the handshake is done once per program, over all its callers', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await Promise.all([runner.list(), runner.list()]);
  await runnerOf(fake).list();
  expect(
    fake
      .calls()
      .map(({ verb }) => verb)
      .sort(),
  ).toEqual(['list', 'list', 'list', 'version']);
});

test('the handshake is done again when the program is another file', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const path = installedCopy(dir, fake);
  await runnerOf(fake, path).list();
  utimesSync(path, new Date(0), new Date(0));
  await runnerOf(fake, path).list();
  expect(fake.calls().filter(({ verb }) => verb === 'version')).toHaveLength(2);
});

function installedCopy(dir: TempDir, fake: FakeWisp): string {
  mkdirSync(dir.join('bin'));
  writeFileSync(dir.join('package.json'), '{"type":"module"}');
  copyFileSync(fake.path, dir.join('bin', 'wisp'));
  symlinkSync(join(fake.path, '..', '..', 'fake-wisp'), dir.join('fake-wisp'));
  return dir.join('bin', 'wisp');
}

test('the handshake survives a broken cache and mends it', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  await runnerOf(fake).list();
  const cache = join(fake.env.XDG_CACHE_HOME ?? '', 'wreckit');
  const [file = ''] = readdirSync(cache);
  for (const broken of ['', '{"program":', '[]', '{"program":1,"version":{}}', '\u0000']) {
    writeFileSync(join(cache, file), broken);
    fake.play({});
    await runnerOf(fake).list();
    await runnerOf(fake).list();
    expect(fake.calls().filter(({ verb }) => verb === 'version')).toHaveLength(1);
  }
  expect(readdirSync(cache)).toEqual([file]);
});

test('the handshake works without a place for its cache', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  writeFileSync(dir.join('file'), '');
  const env = { ...fake.env, XDG_CACHE_HOME: dir.join('file') };
  await new SpriteRunner({ wispPath: fake.path, env }).list();
  expect(fake.verbs()).toEqual(['list']);
});

test("what Fly's command can't do is UNSUPPORTED, and it is not run", async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  symlinkSync(fake.path, dir.join('sprite'));
  const error = await wreckitErrorOf(() => runnerOf(fake, dir.join('sprite')).stop('demo'));
  expect([error.code, error.exitCode]).toEqual(['UNSUPPORTED', 9]);
  expect(fake.calls()).toEqual([]);
});
