/**
 * `npm test`: everything that must hold before a change goes in. Prepares the machine, then format and lint,
 * types, all tests, and a look for leftovers. Every check runs even when an earlier one failed; the last line
 * of stdout is `N passed, N failed`, where each check besides the tests counts as one.
 *
 *   npm test                      all of it
 *   npm test -- src/__tests__/e2e only these test files (the other checks still run)
 */
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure } from './ensure.mjs';
import { findBun } from './lib/bun.mjs';
import { ask, run, ScriptError, say, script } from './lib/shell.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TEST_TIMEOUT_MS = 60_000;
/** All tests together; a run that hangs must end, and say so, before whoever runs it gives up. */
const SUITE_TIMEOUT_MS = 45 * 60_000;

async function timed(name, action) {
  const startedAt = Date.now();
  const result = await action();
  return { name, seconds: (Date.now() - startedAt) / 1000, ...result };
}

/** A tool of node_modules: passed if it ends with 0. Its output is shown only if it fails. */
function tool(name, packagePath, args) {
  return timed(name, async () => {
    let output = '';
    const manifest = JSON.parse(
      readFileSync(join(root, 'node_modules', packagePath, 'package.json'), 'utf8'),
    );
    const bin = typeof manifest.bin === 'string' ? manifest.bin : Object.values(manifest.bin)[0];
    const status = await run(process.execPath, [join(root, 'node_modules', packagePath, bin), ...args], {
      cwd: root,
      onOutput: (text) => {
        output += text;
      },
    });
    if (status !== 0) process.stdout.write(`\n${name}: ended with ${status}\n${output}\n`);
    return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
  });
}

/** Reads the output of bun test: its own sums at the end or, if it does not get there, its lines so far. */
class TestCounter {
  #seen = { pass: 0, fail: 0 };
  #rest = '';
  #sums = {};
  isFinished = false;

  read(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      const [, outcome] = /^\((pass|fail)\) /.exec(line) ?? [];
      if (outcome) this.#seen[outcome] += 1;
      const [, count, word] = /^ *(\d+) (pass|fail|skip|todo|errors?)$/.exec(line) ?? [];
      if (word) this.#sums[word] = Number(count);
      if (/^Ran \d+ tests? across \d+ files?/.test(line)) this.isFinished = true;
    }
  }

  /** A test that is not run proves nothing: it counts as failed. */
  result() {
    if (!this.isFinished) return { passed: this.#seen.pass, failed: this.#seen.fail + 1 };
    const { pass = 0, fail = 0, skip = 0, todo = 0, error = 0, errors = 0 } = this.#sums;
    return { passed: pass, failed: fail + skip + todo + error + errors };
  }
}

/** The tests in a temporary directory of their own, so that what they leave behind is seen. */
function tests(bun, suite, paths) {
  return timed('tests', async () => {
    const counter = new TestCounter();
    const args = ['test', '--isolate', `--timeout=${TEST_TIMEOUT_MS}`, ...paths];
    const status = await run(bun, args, {
      cwd: root,
      env: { ...process.env, TMPDIR: suite, CI: '1', NO_COLOR: '1' },
      timeoutMs: SUITE_TIMEOUT_MS,
      onOutput: (text) => {
        process.stdout.write(text);
        counter.read(text);
      },
    });
    if (!counter.isFinished) say(`tests: bun test did not come to its end (exit status ${status})`);
    const { passed, failed } = counter.result();
    return { passed, failed: Math.max(failed, status === 0 && counter.isFinished ? 0 : 1) };
  });
}

function leftovers(bun, suite) {
  return timed('nothing left behind', async () => {
    const status = await run(bun, [join(root, 'src/__tests__/helpers/leaks.ts'), suite, '--remove'], {
      cwd: root,
    });
    return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
  });
}

function summarise(results) {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, passed, failed, seconds }) => {
    const verdict = failed === 0 ? 'ok    ' : 'FAILED';
    return `${verdict} ${name.padEnd(width)} ${seconds.toFixed(1).padStart(7)} s   ${passed} passed, ${failed} failed`;
  });
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  process.stdout.write(`\n${lines.join('\n')}\n\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  return sum('failed');
}

await script('npm test', async () => {
  await ensure({ forTests: true });
  const bun = findBun(root);
  if (!bun) {
    throw new ScriptError(
      'bun: the tests run on it, and it does not run here',
      'allow install scripts, then: npm ci',
      6,
    );
  }
  const paths = process.argv.slice(2);
  const suite = realpathSync(mkdtempSync(join(tmpdir(), 'wk-')));
  chmodSync(suite, 0o711); // a test may run something as another user
  try {
    const results = await Promise.all([
      tool('format and lint', '@biomejs/biome', ['check', '.']),
      tool('types', 'typescript', ['--noEmit']),
    ]);
    results.push(await tests(bun, suite, paths.length > 0 ? paths : ['src/__tests__']));
    results.push(await leftovers(bun, suite));
    if (summarise(results) > 0) process.exitCode = 1;
  } finally {
    // What tests left may be closed to its owner.
    ask('chmod', ['-R', 'u+rwX', suite]);
    rmSync(suite, { recursive: true, force: true });
  }
});
