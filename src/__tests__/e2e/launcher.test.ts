import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { run } from '../../process/run.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

/** What the stand-ins for the built programs print. */
interface Report {
  readonly runtime: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly fromDotEnv: string | null;
}

const root = packageRoot();
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const REPORT = `
  const report = { runtime: process.versions.bun ? 'bun' : 'node', main: process.argv[1], args: process.argv.slice(2),
    cwd: process.cwd(), fromDotEnv: process.env.FROM_DOT_ENV ?? null };
  process.stdout.write(JSON.stringify(report));
  if (process.argv.includes('--fail')) process.exitCode = 42;`;

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir[Symbol.dispose]());

function put(path: string, text: string, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

interface PackageOptions {
  /** Where Bun lies, from the package; null: nowhere. */
  readonly bun?: string | null;
  readonly withDist?: boolean;
}

/** A package as npm installs it at `at`, its programs stand-ins that report how they were started. */
function makePackage(
  at: string,
  { bun = 'node_modules/bun/bin/bun.exe', withDist = true }: PackageOptions = {},
): string {
  mkdirSync(join(at, 'bin'), { recursive: true });
  for (const name of ['wreckit', 'wisp']) {
    copyFileSync(join(root, 'bin', name), join(at, 'bin', name));
    if (!withDist) continue;
    put(join(at, 'dist', 'bun', `${name}.js`), REPORT);
    put(join(at, 'dist', 'node', `${name}.mjs`), REPORT);
    put(join(at, 'dist', 'build-id'), 'abc123\n');
  }
  if (bun !== null) linkTo(process.execPath, join(at, bun));
  return at;
}

function linkTo(target: string, path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
  return path;
}

interface StartOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

async function start(argv: readonly string[], { cwd = '/', env = {} }: StartOptions = {}) {
  const result = await run(argv, {
    cwd,
    env: { PATH: SYSTEM_PATH, HOME: dir.join('home'), ...env },
    timeoutMs: 20_000,
  });
  return {
    exitCode: result.exitCode,
    stdout: Buffer.from(result.stdout).toString(),
    stderr: Buffer.from(result.stderr).toString(),
  };
}

async function report(argv: readonly string[], options?: StartOptions): Promise<Report> {
  const result = await start(argv, options);
  if (result.exitCode !== 0)
    throw new Error(`${argv.join(' ')} ended with ${result.exitCode}: ${result.stderr}`);
  expect(result.stderr).toBe('');
  return JSON.parse(result.stdout) as Report;
}

test('bin/wreckit and bin/wisp are the same text and executable', () => {
  expect(readFileSync(join(root, 'bin/wisp'), 'utf8')).toBe(readFileSync(join(root, 'bin/wreckit'), 'utf8'));
});

test('a launcher starts the bundle on Bun with every argument as it is', async () => {
  const at = makePackage(dir.join('a package'));
  const args = [
    'sprite',
    'exec',
    '',
    'a  b',
    "it's",
    '"q"',
    '$HOME',
    '*',
    'line\nbreak',
    '--',
    '-la',
    '--json',
  ];
  const { runtime, main, args: seen, cwd } = await report([join(at, 'bin/wisp'), ...args], { cwd: dir.path });
  expect({ runtime, main, seen, cwd }).toEqual({
    runtime: 'bun',
    main: join(at, 'dist/bun/wisp.js'),
    seen: args,
    cwd: dir.path,
  });
});

test('a launcher passes the exit code on', async () => {
  const at = makePackage(dir.join('package'));
  expect((await start([join(at, 'bin/wreckit'), '--fail'])).exitCode).toBe(42);
});

test('a launcher is found from its own directory and through sh', async () => {
  const at = makePackage(dir.join('package'));
  for (const argv of [
    ['./wisp'],
    ['/bin/sh', 'wisp'],
    ['bash', 'wisp'],
    ['../bin/wisp'],
    ['../bin/./wisp'],
  ]) {
    expect((await report(argv, { cwd: join(at, 'bin') })).runtime).toBe('bun');
  }
  for (const argv of [['bin/wisp'], ['bin/../bin/wisp']]) {
    expect((await report(argv, { cwd: at })).runtime).toBe('bun');
  }
});

test('a launcher follows links: absolute, relative, chained, through linked directories', async () => {
  const at = makePackage(dir.join('the package'));
  const absolute = linkTo(join(at, 'bin/wreckit'), dir.join('links a', 'absolute'));
  const relative = linkTo('../the package/bin/wreckit', dir.join('links a', 'relative'));
  const chained = linkTo('links a/relative', dir.join('chained'));
  const linkedBin = linkTo(join(at, 'bin'), dir.join('elsewhere', 'deep', 'programs'));
  // From here "../.." is not what the text of the path says.
  const throughDirectory = linkTo('../links a/relative', dir.join('real', 'inner', 'up'));
  linkTo(dir.join('real/inner'), dir.join('shortcut'));
  mkdirSync(dir.join('real/links a'));
  symlinkSync(dir.join('links a/relative'), dir.join('real/links a/relative'));
  expect(existsSync(throughDirectory)).toBe(true);
  for (const path of [absolute, relative, chained, join(linkedBin, 'wreckit'), dir.join('shortcut/up')]) {
    expect(await report([path, 'x'])).toMatchObject({
      runtime: 'bun',
      main: join(at, 'dist/bun/wreckit.js'),
    });
  }
});

test('npm i -g: the linked launcher finds Bun beside the package and needs no other program', async () => {
  const prefix = dir.join('prefix');
  const at = makePackage(join(prefix, 'lib/node_modules/wreckit'), { bun: '../bun/bin/bun.exe' });
  writeFileSync(join(at, 'dist/bun-runs'), '');
  const link = linkTo('../lib/node_modules/wreckit/bin/wisp', join(prefix, 'bin/wisp'));
  const env = { PATH: '/nonexistent' };
  expect(await report([link], { env })).toMatchObject({ runtime: 'bun', main: join(at, 'dist/bun/wisp.js') });
});

test('npm i: the launcher in node_modules/.bin does so too', async () => {
  const modules = dir.join('project/node_modules');
  const at = makePackage(join(modules, 'wreckit'), { bun: '../bun/bin/bun.exe' });
  writeFileSync(join(at, 'dist/bun-runs'), '');
  const link = linkTo('../wreckit/bin/wreckit', join(modules, '.bin/wreckit'));
  expect((await report([link], { env: { PATH: '/nonexistent' } })).runtime).toBe('bun');
});

test('npm link: a linked package uses its own Bun', async () => {
  const at = makePackage(dir.join('checkout'));
  linkTo(at, dir.join('prefix/lib/node_modules/wreckit'));
  const link = linkTo('../lib/node_modules/wreckit/bin/wisp', dir.join('prefix/bin/wisp'));
  expect((await report([link])).runtime).toBe('bun');
});

test('without its install script Bun is found in its platform package', async () => {
  const at = makePackage(dir.join('package'), { bun: 'node_modules/@oven/bun-linux-x64/bin/bun' });
  put(join(at, 'node_modules/bun/bin/bun.exe'), 'echo "postinstall was not run" >&2\nexit 1\n', 0o755);
  expect((await report([join(at, 'bin/wisp')])).runtime).toBe('bun');
});

const BROKEN_BUNS: ReadonlyArray<readonly [string, string]> = [
  ['the text that stands in for it', 'echo "Error: postinstall script was not run." >&2\nexit 1\n'],
  ['a binary for another CPU (SIGILL)', '#!/bin/sh\nkill -ILL $$\n'],
  ['a binary without its loader', '#!/nonexistent/ld-musl.so\n'],
  ['a binary of another format', '\x7fELF\x02\x01\x01 of no use'],
];
for (const [what, text] of BROKEN_BUNS) {
  test(`a Bun that does not run here is passed over for Node: ${what}`, async () => {
    const at = makePackage(dir.join('package'), { bun: null });
    put(join(at, 'node_modules/bun/bin/bun.exe'), text, 0o755);
    expect(await report([join(at, 'bin/wisp'), 'a b'])).toMatchObject({
      runtime: 'node',
      main: join(at, 'dist/node/wisp.mjs'),
      args: ['a b'],
    });
  });
}

test('whether Bun runs is asked once, and remembered beside the bundles', async () => {
  const at = makePackage(dir.join('package'), { bun: null });
  const asked = dir.join('asked');
  const bun = `#!/bin/sh\n[ "$1" = --version ] && echo x >>"${asked}"\nexec "${process.execPath}" "$@"\n`;
  put(join(at, 'node_modules/bun/bin/bun.exe'), bun, 0o755);
  for (let time = 0; time < 3; time += 1) expect((await report([join(at, 'bin/wisp')])).runtime).toBe('bun');
  expect(readFileSync(asked, 'utf8')).toBe('x\n');
  expect(existsSync(join(at, 'dist/bun-runs'))).toBe(true);
});

test('where the package cannot be written the answer is remembered in the cache, per build', async () => {
  const at = makePackage(dir.join('package'), { bun: null });
  const asked = dir.join('asked');
  const bun = `#!/bin/sh\n[ "$1" = --version ] && echo x >>"${asked}"\nexec "${process.execPath}" "$@"\n`;
  put(join(at, 'node_modules/bun/bin/bun.exe'), bun, 0o755);
  // Also root can't write through this one.
  symlinkSync('/nonexistent/dir/file', join(at, 'dist/bun-runs'));
  const start2 = () => report([join(at, 'bin/wisp')], { env: { XDG_CACHE_HOME: dir.join('cache dir') } });
  await start2();
  await start2();
  expect(readFileSync(asked, 'utf8')).toBe('x\n');
  writeFileSync(join(at, 'dist/build-id'), 'def456\n');
  await start2();
  expect(readFileSync(asked, 'utf8')).toBe('x\nx\n');
});

test('a project cannot run code or set variables by its bunfig.toml and .env', async () => {
  const at = makePackage(dir.join('package'));
  const project = dir.join('project');
  const canary = dir.join('canary');
  put(join(project, 'bunfig.toml'), 'preload = ["./evil.js"]\n[run]\npreload = ["./evil.js"]\n');
  put(join(project, 'evil.js'), `require('node:fs').writeFileSync(${JSON.stringify(canary)}, 'ran');`);
  put(join(project, '.env'), 'FROM_DOT_ENV=seen\n');
  put(join(project, '.env.local'), 'FROM_DOT_ENV=seen\n');
  expect((await report([join(at, 'bin/wreckit')], { cwd: project })).fromDotEnv).toBeNull();
  expect(existsSync(canary)).toBe(false);
});

test('without dist/ the sources run, on Bun and on Node', async () => {
  const at = makePackage(dir.join('check out'), { withDist: false });
  cpSync(join(root, 'scripts'), join(at, 'scripts'), { recursive: true });
  symlinkSync(join(root, 'node_modules/tsx'), join(at, 'node_modules/tsx'));
  put(join(at, 'package.json'), '{"type":"module","engines":{"node":">=20.18"}}');
  put(join(at, 'src/report.ts'), `export const report = (name: string): void => {${REPORT}};`);
  put(join(at, 'src/index.ts'), "import { report } from './report.ts';\nreport('wreckit');");
  put(join(at, 'src/wisp/index.ts'), "import { report } from '../report.ts';\nreport('wisp');");
  for (const runtime of ['bun', 'node']) {
    const env = { WRECKIT_RUNTIME: runtime };
    const wreckit = await report([join(at, 'bin/wreckit'), 'a b', '--'], { env });
    expect(wreckit).toMatchObject({ runtime, main: join(at, 'src/index.ts'), args: ['a b', '--'], cwd: '/' });
    expect(await report([join(at, 'bin/wisp')], { env })).toMatchObject({
      runtime,
      main: join(at, 'src/wisp/index.ts'),
    });
  }
});

test('WRECKIT_RUNTIME chooses, and another value is refused', async () => {
  const at = makePackage(dir.join('package'));
  const program = join(at, 'bin/wreckit');
  expect((await report([program], { env: { WRECKIT_RUNTIME: 'node' } })).runtime).toBe('node');
  expect((await report([program], { env: { WRECKIT_RUNTIME: 'bun' } })).runtime).toBe('bun');
  expect(await start([program, 'sprite', 'list'], { env: { WRECKIT_RUNTIME: 'deno' } })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'wreckit: start: WRECKIT_RUNTIME is neither bun nor node\nhint: unset it, or set it to bun or node\n',
  });
});

test('with no runtime at all the launcher ends with 6, and says so in JSON where asked', async () => {
  const program = join(makePackage(dir.join('package'), { bun: null }), 'bin/wisp');
  const env = { PATH: dir.join('empty') };
  const plain = await start([program, 'exec', 'demo', '--', 'x', '--json'], { env });
  expect({ ...plain, stderr: plain.stderr.split(':')[0] }).toEqual({
    exitCode: 6,
    stdout: '',
    stderr: 'wisp',
  });
  const { exitCode, stdout } = await start([program, 'list', '--json'], { env });
  expect(exitCode).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({
    success: false,
    error: { code: 'ENGINE_UNAVAILABLE', retryable: false },
  });
  const wanted = await start([program, 'list'], { env: { WRECKIT_RUNTIME: 'bun' } });
  expect(wanted.exitCode).toBe(6);
});

test('a package without dist and src says that it is broken', async () => {
  const at = makePackage(dir.join('package'));
  rmSync(join(at, 'dist'), { recursive: true });
  const { exitCode, stderr } = await start([join(at, 'bin/wisp')]);
  expect({ exitCode, hint: stderr.split('\n')[1] }).toEqual({
    exitCode: 6,
    hint: 'hint: reinstall the package',
  });
});
