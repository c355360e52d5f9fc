import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { startModelServer } from '../../../fixtures/model-server/server.ts';
import { packageRoot, packageVersion } from '../../package-root.ts';
import { copyCheckout } from '../helpers/checkout.ts';
import { fixturePath } from '../helpers/fixtures.ts';
import { npmEnv, RUNTIME_NAMES, runProgram, runtimeEnv, runtimePath, succeed } from '../helpers/programs.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

/** npm i -g of the packed tarball into a prefix with a space in its name; the checkout is gone afterwards. */
let dir: TempDir;
let prefix: string;
let installed: string;
/** fixtures/example-host with the package installed from the same tarball. */
let host: string;
const program = (name: string) => join(prefix, 'bin', name);

beforeAll(async () => {
  dir = tempDir();
  prefix = dir.join('the prefix');
  mkdirSync(prefix);
  const checkout = copyCheckout(dir.join('checkout'));
  const env = npmEnv();
  await succeed(['npm', 'pack', '--pack-destination', dir.path], { cwd: checkout, env, timeoutMs: 170_000 });
  rmSync(checkout, { recursive: true });
  const tarball = dir.join(`wreckit-${packageVersion()}.tgz`);
  const options = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await succeed(['npm', 'install', '-g', ...options, tarball], { cwd: dir.path, env, timeoutMs: 170_000 });
  host = dir.join('a host');
  cpSync(fixturePath('example-host'), host, { recursive: true });
  const locally = ['--omit=dev', ...options.slice(2)];
  await succeed(['npm', 'install', ...locally, tarball], { cwd: host, env, timeoutMs: 170_000 });
  // What it is compiled with is this checkout's.
  const types = join(packageRoot(), 'node_modules');
  mkdirSync(join(host, 'node_modules', '@types'));
  for (const name of ['@types/node', 'undici-types'])
    symlinkSync(join(types, name), join(host, 'node_modules', name));
  rmSync(tarball);
  installed = join(prefix, 'lib', 'node_modules', 'wreckit');
}, 420_000);
afterAll(() => dir[Symbol.dispose]());

function filesBelow(root: string): string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return files.filter((path) => !path.startsWith('node_modules/') && lstatSync(join(root, path)).isFile());
}

test('the package has the launchers, both bundles and the documents, and no sources or tests', () => {
  const files = filesBelow(installed);
  const wanted = [
    ...['bin/wreckit', 'bin/wisp', 'dist/build-id', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
    ...['wreckit', 'wisp'].flatMap((name) => [
      `dist/bun/${name}.js`,
      ...['quick', 'whole'].flatMap((size) => [
        `dist/bun/${name}-${size}.js`,
        `dist/bun/${name}-${size}.js.jsc`,
      ]),
    ]),
    ...[
      'dist/node/wreckit.mjs',
      'dist/node/wreckit-main.mjs',
      'dist/node/wisp.mjs',
      'dist/node/wisp-main.mjs',
    ],
  ];
  wanted.push('dist/node/library.mjs', 'dist/node/contract.mjs', 'dist/types/library/index.d.ts');
  for (const path of wanted) expect(files).toContain(path);
  const unwanted = files.filter((path) =>
    /^(src|scripts|bench|node_modules|\.ci)\/|__tests__|bun-runs/.test(path),
  );
  expect(unwanted).toEqual([]);
});

test('the package holds no path of the machine it was packed on', () => {
  const home = process.env.WRECKIT_TEST_HOME ?? homedir();
  // Every machine has /root, and programs may name it.
  const needles = [packageRoot(), realpathSync(dir.path), ...(home === '/root' ? [] : [home])];
  for (const path of filesBelow(installed)) {
    const text = readFileSync(join(installed, path), 'latin1');
    for (const needle of needles)
      expect(text.includes(`${needle}/`) && `${path} contains ${needle}`).toBe(false);
  }
});

test.each([...RUNTIME_NAMES])(
  'the installed programs say their version on %s, from any directory',
  async (runtime) => {
    const env = runtimeEnv(runtime);
    for (const name of ['wreckit', 'wisp']) {
      const stdout = await succeed([program(name), '--version'], { cwd: '/', env });
      expect(stdout).toContain(packageVersion());
    }
  },
);

test('the installed wreckit finds the installed wisp and runs a command in a sprite', async () => {
  const env = runtimeEnv('bun');
  const sprite = (...args: string[]) =>
    succeed([program('wreckit'), 'sprite', ...args], { cwd: dir.path, env });
  await sprite('start', 'packed');
  try {
    expect(await sprite('exec', 'packed', '--', 'echo', 'a  b')).toBe('a  b\n');
  } finally {
    await sprite('kill', 'packed');
  }
  const { stdout } = await runProgram([program('wreckit'), 'sprite', 'list', '--json'], {
    cwd: dir.path,
    env,
  });
  expect(JSON.parse(stdout)).toMatchObject({ success: true, data: { sprites: [] } });
});

test('the example host compiles against the types of the package, all of which are in it', async () => {
  const tsc = join(packageRoot(), 'node_modules', 'typescript', 'bin', 'tsc');
  // Without skipLibCheck: a declaration that names what is not there is an error.
  expect(await succeed(['node', tsc], { cwd: host, timeoutMs: 120_000 })).toBe('');
  await Bun.write(
    join(host, 'wrong.mts'),
    "import { SpriteRunner } from 'wreckit';\nnew SpriteRunner().strat('x');\n",
  );
  const wrong = [
    'node',
    tsc,
    '--noEmit',
    '--skipLibCheck',
    '--module',
    'NodeNext',
    '--target',
    'ES2022',
    'wrong.mts',
  ];
  const { stdout } = await runProgram(wrong, { cwd: host, timeoutMs: 120_000 });
  expect(stdout).toContain("Did you mean 'start'");
}, 300_000);

test.each([...RUNTIME_NAMES])(
  'the library loads and works in plain %s, and leaves the process as it was',
  async (runtime) => {
    copyFileSync(fixturePath('library-probe.mjs'), join(host, 'probe.mjs'));
    const stdout = await succeed([runtimePath(runtime), 'probe.mjs'], { cwd: host });
    expect(JSON.parse(stdout)).toMatchObject({
      isSame: true,
      wrote: [],
      outcome: 'completed',
      code: 'SPRITE_NAME_INVALID',
    });
  },
);

test('every program of docs/library.md runs as it is pasted, and says what stands beside it', async () => {
  const blocks = readFileSync(join(installed, 'docs', 'library.md'), 'utf8').matchAll(
    /```js\n([\s\S]*?)```/g,
  );
  const ran: Record<string, Awaited<ReturnType<typeof runProgram>>> = {};
  const env = { ...runtimeEnv('node'), WISP_HOME: dir.join('wisp'), ANTHROPIC_API_KEY: '' };
  for (const [index, [, program = '']] of [...blocks].entries()) {
    const file = join(host, `pasted-${index}.mjs`);
    writeFileSync(file, program);
    const [what = ''] =
      /SpriteSchema|new SpriteRunner|runAgentUnion\(|registerSpriteCommands\(/.exec(program) ?? [];
    const words = what.startsWith('register') ? ['sprite', 'list'] : [];
    const title = program.includes('buildToolRegistry') ? 'tools' : what;
    ran[title] = await runProgram([runtimePath('node'), file, ...words], { cwd: dir.path, env });
  }
  expect(ran).toMatchObject({
    SpriteSchema: { exitCode: 0 },
    'new SpriteRunner': { exitCode: 0 },
    'runAgentUnion(': { exitCode: 1 },
    tools: { exitCode: 0 },
    'registerSpriteCommands(': { exitCode: 0 },
  });
  expect(ran['new SpriteRunner']?.stdout).toMatch(/^3 hello\n\nUSAGE \| .*"\/nosuch"/);
  // It needs a key, and gets as far as that.
  expect(ran['runAgentUnion(']?.stderr).toContain('AUTH_MISSING');
  expect(ran.tools?.stdout).toContain("code: 'SPRITE_NOT_FOUND'");
  expect(ran['registerSpriteCommands(']?.stdout).toContain('no sprites');
}, 120_000);

test.each(['bun', 'node'] as const)(
  'the example host has its own agent use sprites, and the verbs among its commands, on %s',
  async (runtime) => {
    const call = (name: string, input: Record<string, unknown>) => ({ call: { name, input } });
    await using server = await startModelServer([
      call('spawn_sprite', { name: 'made-by-agent' }),
      call('exec_in_sprite', { name: 'made-by-agent', command: ['echo', 'from inside'] }),
      { text: 'It said: from inside' },
    ]);
    const env = {
      ...runtimeEnv(runtime),
      ANTHROPIC_BASE_URL: server.url,
      ANTHROPIC_API_KEY: 'k',
      WISP_HOME: dir.join('wisp'),
    };
    const hostCall = (...words: string[]) =>
      runProgram([runtimePath(runtime), join(host, 'host.mjs'), ...words], { cwd: dir.path, env });
    const worked = await hostCall('work', 'say something');
    expect(worked).toEqual({ exitCode: 0, stdout: 'It said: from inside\n', stderr: '' });
    expect(server.requests.at(-1)?.text).toContain('from inside');
    expect(JSON.parse((await hostCall('sprite', 'list', '--json')).stdout).data.sprites).toEqual([]);
    expect(await hostCall('sprite', 'start', 'mine')).toMatchObject({ exitCode: 0 });
    expect(await hostCall('sprite', 'exec', 'mine', '--', 'sh', '-c', 'exit 9')).toMatchObject({
      exitCode: 9,
    });
    expect(await hostCall('sprite', 'kill', 'mine')).toMatchObject({ exitCode: 0, stdout: 'killed mine\n' });
  },
  120_000,
);
