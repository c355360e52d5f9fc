import { afterAll, beforeAll, expect, test } from 'bun:test';
import { lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, packageVersion } from '../../package-root.ts';
import { copyCheckout } from '../helpers/checkout.ts';
import { npmEnv, RUNTIME_NAMES, runProgram, runtimeEnv, succeed } from '../helpers/programs.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

/** npm i -g of the packed tarball into a prefix with a space in its name; the checkout is gone afterwards. */
let dir: TempDir;
let prefix: string;
let installed: string;
const program = (name: string) => join(prefix, 'bin', name);

beforeAll(async () => {
  dir = tempDir();
  prefix = dir.join('the prefix');
  mkdirSync(prefix);
  const checkout = copyCheckout(dir.join('checkout'));
  const env = npmEnv();
  await succeed(['npm', 'pack', '--pack-destination', dir.path], { cwd: checkout, env });
  rmSync(checkout, { recursive: true });
  const tarball = dir.join(`wreckit-${packageVersion()}.tgz`);
  const options = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await succeed(['npm', 'install', '-g', ...options, tarball], { cwd: dir.path, env, timeoutMs: 170_000 });
  rmSync(tarball);
  installed = join(prefix, 'lib', 'node_modules', 'wreckit');
}, 240_000);
afterAll(() => dir[Symbol.dispose]());

function filesBelow(root: string): string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return files.filter((path) => !path.startsWith('node_modules/') && lstatSync(join(root, path)).isFile());
}

test('the package has the launchers, both bundles and the documents, and no sources or tests', () => {
  const files = filesBelow(installed);
  const wanted = [
    ...['bin/wreckit', 'bin/wisp', 'dist/build-id', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'],
    ...['dist/bun/wreckit.js', 'dist/bun/wreckit.js.jsc', 'dist/bun/wisp.js', 'dist/bun/wisp.js.jsc'],
    ...[
      'dist/node/wreckit.mjs',
      'dist/node/wreckit-main.mjs',
      'dist/node/wisp.mjs',
      'dist/node/wisp-main.mjs',
    ],
  ];
  for (const path of wanted) expect(files).toContain(path);
  const unwanted = files.filter((path) =>
    /^(src|scripts|bench|node_modules|\.ci)\/|__tests__|bun-runs/.test(path),
  );
  expect(unwanted).toEqual([]);
});

test('the package holds no path of the machine it was packed on', () => {
  const needles = [packageRoot(), realpathSync(dir.path), process.env.WRECKIT_TEST_HOME ?? '/root/'];
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
