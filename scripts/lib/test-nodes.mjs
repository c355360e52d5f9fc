/** The other Nodes that the end-to-end tests run on: npm packages, kept in the user's cache, not dependencies. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ask, run, ScriptError, say } from './shell.mjs';

const VERSIONS = { 22: '22.23.3', 24: '24.21.0' };

/** Where the binary of Node `major` is kept. */
export function testNodePath(major) {
  const cache =
    process.env.WRECKIT_TEST_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wreckit');
  return join(cache, `node-${VERSIONS[major]}`, 'node_modules', 'node', 'bin', 'node');
}

/** Installs what is missing, and returns `{22: path, 24: path}`. */
export async function ensureTestNodes() {
  const paths = {};
  for (const [major, version] of Object.entries(VERSIONS)) {
    paths[major] = testNodePath(major);
    if (!runs(paths[major], version)) await install(major, version);
  }
  return paths;
}

function runs(path, version) {
  return existsSync(path) && ask(path, ['--version']).stdout.trim() === `v${version}`;
}

/** Installed beside its place and renamed: of two at once one wins, and none sees half a Node. */
async function install(major, version) {
  say(`ensure: installing Node ${version} for the tests (npm package node@${version})`);
  const target = dirname(dirname(dirname(dirname(testNodePath(major)))));
  mkdirSync(dirname(target), { recursive: true });
  const staged = mkdtempSync(`${target}-`);
  const args = [
    'install',
    '--prefix',
    staged,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  let output = '';
  const status = await run('npm', [...args, `node@${version}`], {
    cwd: staged,
    env: { ...process.env, CI: '1' },
    onOutput: (text) => {
      output += text;
    },
  });
  const made = join(staged, 'node_modules', 'node', 'bin', 'node');
  if (status !== 0 || !runs(made, version)) {
    rmSync(staged, { recursive: true, force: true });
    throw new ScriptError(
      `Node ${version} for the tests: npm install ended with ${status}\n${output.trimEnd()}`,
      `npm must reach its registry; try: npm view node@${version}`,
      6,
    );
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(staged, target);
}
