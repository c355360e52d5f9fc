import { describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { checkNode } from '../../commands/doctor/runtime-check.ts';
import { type FakeScenario, fakeWisp } from '../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../helpers/wreckit.ts';

interface CheckRow {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly fix: string | null;
}

function machine(dir: TempDir, agent: object = {}, scenario: FakeScenario = {}) {
  const wisp = fakeWisp(dir, scenario);
  execFileSync('git', ['init', '-q', dir.path]);
  mkdirSync(dir.join('.wreckit'));
  mkdirSync(dir.join('bin'));
  const config = { agent: { kind: 'sprite', wispPath: wisp.path, ...agent } };
  writeFileSync(dir.join('.wreckit/config.json'), JSON.stringify(config));
  const env: Record<string, string> = { ...wisp.env, PATH: `${dir.join('bin')}:${wisp.env.PATH}` };
  return { wisp, options: { cwd: dir.path, env } };
}

async function checksOf(options: { cwd: string; env: Record<string, string> }, ...flags: string[]) {
  const { document, exitCode } = await wreckitJson(['doctor', ...flags], options);
  const checks: CheckRow[] = document.data.checks;
  return {
    exitCode,
    checks,
    fixed: document.data.fixed,
    of: (name: string) => checks.find((check) => check.name === name),
  };
}

function program(dir: TempDir, name: string, script: string): void {
  writeFileSync(dir.join('bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(dir.join('bin', name), 0o755);
}

describe('wreckit doctor', () => {
  test('merges the checks of wisp into its own', async () => {
    using dir = tempDir();
    const failing = {
      name: 'oci-runtime',
      status: 'fail',
      message: 'neither is installed',
      fix: 'apt-get install runc',
    };
    const doctor = { stdout: { success: true, verb: 'doctor', data: { checks: [failing] } } };
    const { options } = machine(dir, {}, { doctor });
    const { of, exitCode } = await checksOf(options);
    expect(exitCode).toBe(1);
    expect(of('wisp')).toMatchObject({ status: 'ok' });
    expect(of('oci-runtime')).toEqual(failing);
    const { stdout } = await wreckit(['doctor'], options);
    expect(stdout).toContain('FAIL  oci-runtime: neither is installed\n      fix: apt-get install runc\n');
    expect(stdout).toContain('\n1 failed, 2 warned; wreckit doctor --fix repairs');
  });

  test('exits 0 when nothing fails', async () => {
    using dir = tempDir();
    const { options } = machine(dir);
    const env = { ...options.env, ANTHROPIC_API_KEY: 'canary' };
    await wreckit(['doctor', '--fix'], { ...options, env });
    const { stdout, exitCode } = await wreckit(['doctor'], { ...options, env });
    expect(stdout).toEndWith('\n\nEverything is in order\n');
    expect(stdout).not.toContain('canary');
    expect(exitCode).toBe(0);
  });

  test('says what is wrong with a wisp that is missing, another program, or mute', async () => {
    using dir = tempDir();
    const { options } = machine(dir, { wispPath: '/nowhere/wisp' });
    const missing = await checksOf(options);
    expect(missing.of('wisp')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('/nowhere/wisp'),
    });
    expect(missing.of('wisp')?.fix).toContain('agent.wispPath');
    expect(missing.exitCode).toBe(1);
    using other = tempDir();
    const garbage = machine(other, {}, { version: { stdout: 'wisp, the Go one\n' } });
    expect((await checksOf(garbage.options)).of('wisp')).toMatchObject({ status: 'fail' });
  });

  test('reports a configuration that is refused, with exit 2, and asks nothing with other settings', async () => {
    using dir = tempDir();
    const { options, wisp } = machine(dir);
    writeFileSync(dir.join('.wreckit/config.json'), '{\n"agent": {"kind": "nope"}}');
    const { checks, exitCode } = await checksOf(options, '--fix');
    expect(exitCode).toBe(2);
    expect(checks.map(({ name }) => name)).toEqual(['runtime', 'config']);
    expect(checks[1]).toMatchObject({ status: 'fail', message: expect.stringContaining('config.json:2') });
    expect(wisp.calls()).toEqual([]);
  });

  test('starts the agent’s program: there, missing, or installed without its binary', async () => {
    using dir = tempDir();
    const { options } = machine(dir, { agent: { kind: 'codex_sdk' } });
    const bare = { ...options, env: { ...options.env, PATH: `${dir.join('bin')}:/usr/bin:/bin` } };
    program(dir, 'codex', 'echo codex-cli 0.169.0');
    expect((await checksOf(bare)).of('agent')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('0.169.0'),
    });
    program(dir, 'codex', 'echo "Error: native binary not installed" >&2; exit 1');
    expect((await checksOf(bare)).of('agent')).toMatchObject({
      status: 'fail',
      message: 'kind "codex_sdk": codex does not start: exit 1: Error: native binary not installed',
      fix: 'install it again: npm install -g @openai/codex',
    });
    writeFileSync(dir.join('.wreckit/config.local.json'), '{"agent":{"agent":{"kind":"amp_sdk"}}}');
    expect((await checksOf(bare)).of('agent')).toMatchObject({
      status: 'fail',
      message: 'kind "amp_sdk": amp is not on PATH',
      fix: 'npm install -g @sourcegraph/amp',
    });
  });

  test('looks for a command of the user’s without running it', async () => {
    using dir = tempDir();
    const { options } = machine(dir, { agent: { kind: 'process', command: 'my-agent' } });
    expect((await checksOf(options)).of('agent')).toMatchObject({
      status: 'fail',
      message: 'kind "process": "my-agent" is not on PATH',
    });
    program(dir, 'my-agent', `touch ${dir.join('was-run')}`);
    expect((await checksOf(options)).of('agent')).toMatchObject({
      status: 'ok',
      message: `kind "process": ${dir.join('bin/my-agent')}`,
    });
    expect(() => statSync(dir.join('was-run'))).toThrow();
  });

  test('knows where an agent’s key may come from', async () => {
    using dir = tempDir();
    const { options } = machine(dir);
    const key = async (env: Record<string, string>) =>
      (await checksOf({ ...options, env: { ...options.env, ...env } })).of('model-key');
    expect(await key({})).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('export ANTHROPIC_API_KEY'),
    });
    expect(await key({ GEMINI_API_KEY: 'x' })).toMatchObject({ status: 'ok' });
    writeFileSync(dir.join('.wreckit/config.local.json'), '{"agent":{"agent":{"aiProvider":"openai"}}}');
    expect(await key({ GEMINI_API_KEY: 'x' })).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('OPENAI_API_KEY'),
    });
    writeFileSync(
      dir.join('.wreckit/config.local.json'),
      '{"agent":{"agent":{"env":{"ANTHROPIC_AUTH_TOKEN":"x"}}}}',
    );
    expect(await key({})).toMatchObject({ status: 'ok', message: 'kind "rlm": ANTHROPIC_AUTH_TOKEN is set' });
  });

  test('asks for a sprites token only where the engine needs one', async () => {
    using dir = tempDir();
    const { options } = machine(dir);
    expect((await checksOf(options)).of('sprites-token')).toMatchObject({ status: 'ok' });
    expect((await checksOf(options, '--engine', 'cloud')).of('sprites-token')).toMatchObject({
      status: 'warn',
    });
    const env = { ...options.env, SPRITES_TOKEN: 'canary' };
    const { stdout } = await wreckit(['doctor', '--engine', 'cloud'], { ...options, env });
    expect(stdout).toContain('a sprites token is set (SPRITES_TOKEN)');
    expect(stdout).not.toContain('canary');
  });

  test('warns of a secret in a file that others get, or that others can read', async () => {
    using dir = tempDir();
    const { options, wisp } = machine(dir);
    const secret = {
      agent: {
        kind: 'sprite',
        wispPath: wisp.path,
        agent: { kind: 'rlm', env: { OPENAI_API_KEY: 'canary' } },
      },
    };
    writeFileSync(dir.join('.wreckit/config.json'), JSON.stringify(secret));
    expect((await checksOf(options)).of('secrets')).toMatchObject({
      status: 'warn',
      message: 'a secret stands in .wreckit/config.json, which others get with the project',
    });
    writeFileSync(dir.join('.wreckit/config.json'), '{}');
    writeFileSync(dir.join('.wreckit/config.local.json'), JSON.stringify(secret), { mode: 0o644 });
    expect((await checksOf(options)).of('secrets')).toMatchObject({
      status: 'warn',
      fix: `chmod 600 ${dir.join('.wreckit/config.local.json')}`,
    });
  });
});

test('checkNode() refuses a Node that is too old', () => {
  expect(checkNode('20.17.9', 'linux x64')).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('20.18'),
  });
  expect(checkNode('18.20.0', 'linux x64').status).toBe('fail');
  for (const version of ['20.18.0', '22.0.0', '24.1.0']) expect(checkNode(version, 'x').status).toBe('ok');
});

describe('wreckit doctor --fix', () => {
  const gc = {
    stdout: {
      success: true,
      verb: 'gc',
      data: { removed: [{ kind: 'sprite', name: 'half', reason: 'half-made' }], kept: [] },
    },
  };

  test('adds ignore lines, closes secrets and removes half-made sprites', async () => {
    using dir = tempDir();
    const { options, wisp } = machine(dir, {}, { gc });
    const local = dir.join('.wreckit/config.local.json');
    writeFileSync(local, '{"agent":{"token":"canary"}}', { mode: 0o644 });
    const before = await checksOf(options);
    expect(before.of('git')).toMatchObject({ status: 'warn' });
    wisp.play({ gc });
    const { fixed, of } = await checksOf(options, '--fix');
    expect(fixed).toEqual([
      'add to .gitignore: .wreckit/config.local.json, .wreckit/runs/',
      `chmod 600 ${local}`,
      'remove half (half-made)',
    ]);
    expect(of('git')).toMatchObject({ status: 'ok' });
    expect(of('secrets')).toMatchObject({ status: 'ok' });
    expect(statSync(local).mode & 0o777).toBe(0o600);
    expect(wisp.verbs()).toContain('gc');
  });

  test('changes nothing under --dry-run and says what it would', async () => {
    using dir = tempDir();
    const { options, wisp } = machine(dir, {}, { gc });
    const local = dir.join('.wreckit/config.local.json');
    writeFileSync(local, '{"agent":{"token":"canary"}}', { mode: 0o644 });
    const { stdout } = await wreckit(['doctor', '--fix', '--dry-run'], options);
    expect(stdout).toContain('would fix: add to .gitignore');
    expect(stdout).toContain(`would fix: chmod 600 ${local}`);
    expect(statSync(local).mode & 0o777).toBe(0o644);
    expect(() => readFileSync(dir.join('.gitignore'))).toThrow();
    const [call] = wisp.calls().filter(({ verb }) => verb === 'gc');
    expect(call?.argv).toContain('--dry-run');
  });

  test('fixes the rest when one thing cannot be fixed', async () => {
    using dir = tempDir();
    const { options } = machine(dir, { wispPath: '/nowhere/wisp' });
    const { stdout, stderr, exitCode } = await wreckit(['doctor', '--fix'], options);
    expect(stderr).toContain('warning: sprites cannot be fixed: ');
    expect(stdout).toContain('fixed: add to .gitignore');
    expect(exitCode).toBe(1);
  });
});
