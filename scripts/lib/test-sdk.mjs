/**
 * Fly's SDK, which the tests drive against `wisp serve`. It wants Node 24, so that as a dependency it would make
 * every `npm ci` on another Node complain: it is kept in the user's cache, with its hash checked.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, ScriptError, say } from './shell.mjs';

const NAME = '@fly/sprites';
const VERSION = '0.1.0';
const INTEGRITY =
  'sha512-08jnuPEFmImqy3/iwL+jQJ6IwrHuZlmR3w9dRSSUiZ3N4uMSqWMi5FLyL1UKiL/vtcAb9Cayj8gHsEtckDDfkQ==';

/** The directory below whose `node_modules` it lies. */
export function testSdkDir() {
  const cache =
    process.env.WRECKIT_TEST_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wreckit');
  return join(cache, `fly-sprites-${VERSION}`);
}

/** Installs it if it is missing. Of two at once one wins, and none sees half of it. */
export async function ensureTestSdk() {
  const target = testSdkDir();
  if (existsSync(join(target, 'node_modules', NAME, 'package.json'))) return target;
  say(`ensure: installing Fly's SDK for the tests (npm package ${NAME}@${VERSION})`);
  mkdirSync(dirname(target), { recursive: true });
  const staged = mkdtempSync(`${target}-`);
  const manifest = { name: 'sdk', private: true, type: 'module', dependencies: { [NAME]: VERSION } };
  const lock = {
    name: 'sdk',
    lockfileVersion: 3,
    requires: true,
    packages: { '': manifest, [`node_modules/${NAME}`]: { version: VERSION, integrity: INTEGRITY } },
  };
  writeFileSync(join(staged, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(staged, 'package-lock.json'), JSON.stringify(lock));
  let output = '';
  const status = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: staged,
    env: { ...process.env, CI: '1' },
    onOutput: (text) => {
      output += text;
    },
  });
  if (status !== 0) {
    rmSync(staged, { recursive: true, force: true });
    throw new ScriptError(
      `Fly's SDK for the tests: npm ci ended with ${status}\n${output.trimEnd()}`,
      `npm must reach its registry; try: npm view ${NAME}@${VERSION}`,
      6,
    );
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(staged, target);
  return target;
}
