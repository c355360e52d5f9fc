/**
 * Makes this machine ready, and says what it does: packages as the lock file has them, `dist/`, an OCI
 * runtime, the system programs that are used. Node built-ins only: it runs on a clone without node_modules.
 *
 *   node scripts/ensure.mjs [--tests]     --tests: also what only the tests need (tmux, other Nodes, Fly's SDK)
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireNode } from './lib/require-node.mjs';
import { ask, findProgram, run, ScriptError, say, script } from './lib/shell.mjs';
import { ensureTestNodes } from './lib/test-nodes.mjs';
import { ensureTestSdk } from './lib/test-sdk.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Programs by Debian package; one of each list is enough. */
const SYSTEM_PROGRAMS = [
  { anyOf: ['script'], package: 'bsdutils' },
  { anyOf: ['unshare'], package: 'util-linux' },
  { anyOf: ['nsenter'], package: 'util-linux' },
  { anyOf: ['tar'], package: 'tar' },
  { anyOf: ['git'], package: 'git' },
];
const TEST_PROGRAMS = [{ anyOf: ['tmux'], package: 'tmux' }];

/** Throws `ScriptError` with exit code 6 where this machine lacks something that can't be installed from here. */
export async function ensure({ forTests = false } = {}) {
  const { name, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  requireNode(name, engines.node.replace('>=', ''));
  if (process.platform !== 'linux') {
    throw new ScriptError(
      `the local engine: it needs Linux, this is ${process.platform}`,
      'run this in a Linux machine or VM (on Windows: WSL 2); everything but the local engine works here too',
      6,
    );
  }
  await ensurePackages();
  await ensureSystem(forTests ? [...SYSTEM_PROGRAMS, ...TEST_PROGRAMS] : SYSTEM_PROGRAMS);
  if (!forTests) return;
  await ensureTestNodes();
  await ensureTestSdk();
}

/** `npm ci` also builds `dist/`; with the packages in place only the build is left. */
async function ensurePackages() {
  if (packagesAreInPlace()) {
    const status = await run(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root });
    if (status !== 0) throw new ScriptError('build: dist/ cannot be made', 'see the message above');
    return;
  }
  say('ensure: installing packages (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  const status = await run(
    command,
    [...args, 'ci', '--include=dev', '--include=optional', '--loglevel=error'],
    {
      cwd: root,
      env: { ...process.env, CI: '1' },
    },
  );
  if (status !== 0) {
    throw new ScriptError(
      `packages: npm ci ended with ${status}`,
      'see the message above: npm must reach its registry, and the sources must bundle',
      6,
    );
  }
}

/** npm keeps what it installed in a lock file of its own; an optional package may be missing there. */
function packagesAreInPlace() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    return present[path] ? present[path].version === version : optional === true;
  });
}

async function ensureSystem(programs) {
  const missing = programs.filter(({ anyOf }) => !anyOf.some(findProgram)).map((each) => each.package);
  if (!hasRuntime()) missing.push('runc');
  const packages = [...new Set(missing)];
  if (packages.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const asRoot = rootPrefix();
  if (!findProgram('apt-get') || !asRoot) {
    const how = findProgram('apt-get')
      ? `sudo ${line}`
      : `with your system's package manager: ${packages.join(' ')}`;
    throw new ScriptError(
      `this machine: ${packages.join(', ')} missing, and only root can install it`,
      how,
      6,
    );
  }
  say(`ensure: installing ${packages.join(', ')} (${line})`);
  const install = () => aptGet(asRoot, line.split(' ').slice(1));
  // The package lists of a fresh machine are empty or old.
  if (
    (await install()) !== 0 &&
    ((await aptGet(asRoot, ['update', '-q'])) !== 0 || (await install()) !== 0)
  ) {
    throw new ScriptError(`${line}: it failed`, `run it yourself and see why: apt-get update && ${line}`, 6);
  }
  if (!hasRuntime()) {
    throw new ScriptError('OCI runtime: runc is installed and does not run', 'see why: runc --version', 6);
  }
}

/** Seen running, not only seen on the disk. */
function hasRuntime() {
  return ['runc', 'crun'].some((name) => {
    const path = findProgram(name);
    return path !== null && ask(path, ['--version']).status === 0;
  });
}

/** What to put before a command that root must run; null: there is no way to be root. */
function rootPrefix() {
  if (process.getuid() === 0) return [];
  return findProgram('sudo') && ask('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : null;
}

async function aptGet(asRoot, args) {
  const variables = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  const [command, ...rest] = [...asRoot, ...variables, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args];
  let output = '';
  const status = await run(command, rest, {
    onOutput: (text) => {
      output += text;
    },
  });
  if (status !== 0) say(output.trimEnd());
  return status;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script('ensure', () => ensure({ forTests: process.argv.includes('--tests') }));
}
