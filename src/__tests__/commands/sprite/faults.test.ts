import { expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type FakeScenario, fakeWisp } from '../../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';
import { wreckitJson } from '../../helpers/wreckit.ts';

const BAD_NAMES = [
  ...['', ' ', '-', 'a-', 'A', 'a_b', 'a.b', 'a/b', 'a b', '..', 'ä', 'a\n', '\na', 'a\u0000'],
  ...['../../v1/x', 'a?force=true', 'a#x', 'a%2fb', 'a'.repeat(64), '$(id)'],
];

/** Words after `wreckit sprite` for a sprite of this name. */
const LINES: Readonly<Record<string, (name: string) => readonly string[]>> = {
  start: (name) => ['start', name],
  info: (name) => ['info', name],
  stop: (name) => ['stop', name],
  wake: (name) => ['wake', name],
  kill: (name) => ['kill', name],
  exec: (name) => ['exec', name, '--', 'true'],
  sessions: (name) => ['sessions', name],
  logs: (name) => ['logs', name, 's1'],
  attach: (name) => ['attach', name, 's1'],
  'kill-session': (name) => ['kill-session', name, 's1'],
  'fs ls': (name) => ['fs', 'ls', name, '/'],
  'fs read': (name) => ['fs', 'read', name, '/x'],
  'fs rm': (name) => ['fs', 'rm', name, '/x'],
  'fs mkdir': (name) => ['fs', 'mkdir', name, '/x'],
  'fs mv': (name) => ['fs', 'mv', name, '/x', '/y'],
  'fs chmod': (name) => ['fs', 'chmod', name, '/x', '644'],
  push: (name) => ['push', name, 'file.txt', '/x'],
  pull: (name) => ['pull', name, '/x', 'copy'],
};

/** Of `exec` every code but 125 is the command's own. */
const exitOf = (verb: string, code: number): number => (verb === 'exec' ? 125 : code);

function setup(dir: TempDir, scenario?: FakeScenario) {
  const fake = fakeWisp(dir, scenario);
  writeFileSync(dir.join('file.txt'), 'hello');
  return { fake, options: { cwd: dir.path, env: { ...fake.env, WRECKIT_WISP_PATH: fake.path } } };
}

for (const [verb, line] of Object.entries(LINES)) {
  test(`wreckit sprite ${verb} refuses every bad name and runs nothing`, async () => {
    using dir = tempDir();
    const { fake, options } = setup(dir);
    for (const name of BAD_NAMES) {
      const { exitCode, document } = await wreckitJson(['sprite', ...line(name)], options);
      expect([name, document.error.code]).toEqual([name, 'SPRITE_NAME_INVALID']);
      expect(exitCode).toBe(exitOf(verb, 2));
    }
    for (const name of ['-o', '--help-me', '-x=1']) {
      const { document } = await wreckitJson(['sprite', ...line(name)], options);
      expect([name, document.success, document.error.code]).toEqual([name, false, 'USAGE']);
    }
    expect(fake.calls()).toEqual([]);
    expect(existsSync(dir.join('state'))).toBe(false);
  });

  if (verb === 'start') continue;
  test(`wreckit sprite ${verb} of an unknown sprite is SPRITE_NOT_FOUND and makes nothing`, async () => {
    using dir = tempDir();
    const { fake, options } = setup(dir);
    const { exitCode, document } = await wreckitJson(['sprite', ...line('nosuch')], options);
    expect([document.error.code, exitCode]).toEqual(['SPRITE_NOT_FOUND', exitOf(verb, 3)]);
    expect(document.error.message).toContain('nosuch');
    expect(existsSync(fake.env.WISP_HOME ?? '')).toBe(false);
    expect(existsSync(dir.join('copy'))).toBe(false);
  });
}

const PROGRAMS: readonly [what: string, make: (dir: TempDir) => string, code: string, words: string][] = [
  ['is missing', (dir) => dir.join('none'), 'WISP_NOT_FOUND', 'there is no file'],
  ['is not on PATH', () => 'no-such-wisp', 'WISP_NOT_FOUND', 'no program of this name on PATH'],
  ['is not executable', (dir) => file(dir, '#!/bin/sh\n', 0o644), 'WISP_INCOMPATIBLE', 'not executable'],
  ['is a directory', (dir) => directory(dir), 'WISP_INCOMPATIBLE', 'a directory'],
  ['is another program', () => '/bin/echo', 'WISP_INCOMPATIBLE', 'another program'],
  ['is yet another program', () => '/bin/true', 'WISP_INCOMPATIBLE', 'another program'],
  ['is not a program', (dir) => file(dir, 'garbage', 0o755), 'WISP_INCOMPATIBLE', ''],
];

function file(dir: TempDir, text: string, mode: number): string {
  writeFileSync(dir.join('program'), text);
  chmodSync(dir.join('program'), mode);
  return dir.join('program');
}

function directory(dir: TempDir): string {
  mkdirSync(dir.join('program'));
  return dir.join('program');
}

for (const [what, make, code, words] of PROGRAMS) {
  test(`every sprite verb says ${code} with exit 6 when wisp ${what}`, async () => {
    using dir = tempDir();
    const { options } = setup(dir);
    const env = { ...options.env, WRECKIT_WISP_PATH: make(dir) };
    for (const [verb, line] of Object.entries(LINES)) {
      const { exitCode, document } = await wreckitJson(['sprite', ...line('demo')], { ...options, env });
      expect([verb, document.error.code, exitCode]).toEqual([verb, code, exitOf(verb, 6)]);
      expect(document.error.message).toContain(words);
      expect(document.error.hint).toContain('agent.wispPath');
    }
    expect(existsSync(dir.join('copy'))).toBe(false);
  });
}

const BODY = { success: false, error: { code: 'SPRITE_BUSY', message: 'sprite "demo": busy' } };

const FAULTS: readonly [what: string, scenario: FakeScenario, code: string, exit: number][] = [
  ['prints garbage', { '*': { stdout: 'core dumped\n' } }, 'WISP_PROTOCOL', 1],
  ['dies', { '*': { stdout: '{"success":', signal: 'SIGKILL' } }, 'WISP_PROTOCOL', 1],
  ['hangs', { '*': { hang: true } }, 'TIMEOUT', 7],
  ['prints an error body with exit 0', { '*': { stdout: BODY } }, 'SPRITE_BUSY', 5],
  ['prints half a tar', { '*': { stdout_base64: 'YWJj' } }, 'WISP_PROTOCOL', 1],
];

for (const [what, scenario, code, exit] of FAULTS) {
  test(`the sprite verbs say ${code} with exit ${exit} when wisp ${what}`, async () => {
    using dir = tempDir();
    const { fake, options } = setup(dir);
    await wreckitJson(['sprite', 'list'], options);
    fake.play(scenario);
    const env = { ...options.env, WRECKIT_SPRITE_TIMEOUT: '1s' };
    // Those without a deadline of their own wait for as long as their data takes.
    const verbs = ['start', 'info', 'kill', 'sessions', 'fs ls'];
    for (const verb of what === 'hangs' ? verbs.slice(0, 2) : verbs) {
      const line = LINES[verb]?.('demo') ?? [];
      const { exitCode, document } = await wreckitJson(['sprite', ...line], { ...options, env });
      expect([verb, document.error.code, exitCode]).toEqual([verb, code, exit]);
    }
    if (what === 'hangs') return;
    const pulled = await wreckitJson(['sprite', 'pull', 'demo', '/x', 'copy'], options);
    expect(pulled.document.success).toBe(false);
    expect(readdirSync(dir.path)).not.toContain('copy');
  });
}
