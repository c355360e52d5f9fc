/** Nothing of what `wreckit runs` offers loses work or takes what is somebody else's. */
import { describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../package-root.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SpriteProject, spriteProject } from '../../helpers/sprite-project.ts';

const TIMEOUT_MS = 90_000;

function shown(project: SpriteProject) {
  const { stdout } = project.wreckit('runs', 'show', '--json');
  return JSON.parse(stdout).data.run;
}

describe('runs rm', () => {
  test.each([
    ['none', 'runs land'],
    ['patch', 'patch'],
  ])(
    'refuses a run of --land %s: what it would remove is the only copy of the work',
    (land, hint) => {
      using project = spriteProject();
      project.agent('echo two >> a.txt');
      const { data } = project.run('--land', land, 'go');
      expect(project.sprites()).toEqual([]);
      const id = String(data.run.id);
      const refused = project.wreckit('runs', 'rm', id);
      expect(refused.status).toBe(5);
      expect(refused.stderr).toContain(hint);
      expect(project.wreckit('runs', 'land', id, '--land', 'branch').status).toBe(0);
      expect(project.git('show', `wreckit/${id}:a.txt`)).toBe('one\ntwo\n');
      expect(project.wreckit('runs', 'rm', id).status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test('refuses a run whose landing was undone; with --force it goes', () => {
    using project = spriteProject();
    project.agent('echo two >> a.txt');
    const { data } = project.run('--land', 'apply', 'go');
    expect(project.wreckit('runs', 'undo').stdout).toStartWith('1 file is as it was before');
    expect(project.wreckit('runs', 'rm', String(data.run.id)).status).toBe(5);
    expect(project.wreckit('runs', 'rm', '--force', String(data.run.id)).status).toBe(0);
    expect(existsSync(join(project.path, '.wreckit/runs', String(data.run.id)))).toBe(false);
  });
});

describe('a run whose agent never ran', () => {
  test('says so, has no sprite, tells its fault once, and can be forgotten', () => {
    using project = spriteProject();
    project.agent('echo never', { setup: ['exit 3'] });
    const { stdout } = project.wreckit('run', '--json', 'go');
    expect(JSON.parse(stdout).error.hint).toContain('--keep');
    expect(project.sprites()).toEqual([]);
    expect(shown(project)).toMatchObject({ outcome: 'failed', step: 'setup', sprite: { kept: false } });
    const text = project.wreckit('runs', 'show').stdout;
    expect(text.split('ended with exit 3')).toHaveLength(2);
    expect(text).not.toContain('runs land');
    expect(project.wreckit('runs', 'rm', 'latest').status).toBe(0);
  });

  test('for want of room never had a sprite', () => {
    using project = spriteProject();
    project.agent('echo never', { maxVMs: 1 });
    project.wreckit('sprite', 'start', 'other');
    expect(project.wreckit('run', 'go').status).toBe(5);
    expect(shown(project).sprite.kept).toBe(false);
    expect(project.wreckit('runs', 'show').stdout).not.toContain('is kept');
  });

  test(
    'leaves a sprite that was there before it, also with runs land --kill after a crash',
    async () => {
      using project = spriteProject();
      project.wreckit('sprite', 'start', 'mine');
      project.agent('echo never', { setup: ['touch /tmp/begun; sleep 600'] });
      const child = project.start('--sprite', 'mine', 'go');
      await eventually(
        () =>
          project.wreckit('sprite', 'exec', 'mine', '--', 'test', '-e', '/tmp/begun').status === 0 || null,
        {
          timeoutMs: 60_000,
          what: 'the setup to run',
        },
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(project.wreckit('runs', 'show').stdout).not.toContain('--kill');
      const ended = project.wreckit('runs', 'land', '--kill');
      expect(ended.status).toBe(0);
      expect(ended.stdout).toContain('it is not of this run');
      expect(project.sprites()).toEqual(['mine']);
    },
    TIMEOUT_MS,
  );
});

describe('run --mock-agent', () => {
  test('makes no sprite and starts nothing, and says what would happen', () => {
    using project = spriteProject();
    project.agent('echo ran; echo two >> a.txt');
    const { status, data } = project.run('--mock-agent', 'go');
    expect(status).toBe(0);
    expect(data.run).toMatchObject({ outcome: 'completed', sprite: null, changed_files: null });
    expect(data.run.message).toContain('nothing was started');
    expect(existsSync(join(project.path, '.wreckit/runs', String(data.run.id), 'events.ndjson'))).toBe(true);
    expect(project.wreckit('run', '--mock-agent', 'go').stdout).toContain('would run the command "sh"');
    expect(readFileSync(join(project.path, 'a.txt'), 'utf8')).toBe('one\n');
    expect(project.git('branch', '--list', 'wreckit/*')).toBe('');
  });
});

describe('a run with an option its agent can not honour', () => {
  test('is refused before any sprite, under --dry-run, too', () => {
    using project = spriteProject();
    project.agent('true');
    for (const dry of [[], ['--dry-run']]) {
      const { status, stdout } = project.wreckit('run', '--json', ...dry, '--allowed-tools', 'Read', 'go');
      expect(status).toBe(9);
      expect(JSON.parse(stdout).error.code).toBe('UNSUPPORTED');
    }
    expect(project.sprites()).toEqual([]);
  });
});

describe('a run that was cut off as its agent began', () => {
  test('has its agent on record before that is started', () => {
    using project = spriteProject();
    const wisp = project.beside('wisp-that-looks');
    const seen = project.beside('seen.json');
    const look = `case " $* " in *" --detach "*) cp ${project.path}/.wreckit/runs/*/run.json ${seen} ;; esac`;
    writeFileSync(wisp, `#!/bin/sh\n${look}\nexec ${join(packageRoot(), 'bin/wisp')} "$@"\n`, {
      mode: 0o755,
    });
    project.agent('true', { wispPath: wisp });
    expect(project.run('go').status).toBe(0);
    expect(JSON.parse(readFileSync(seen, 'utf8'))).toMatchObject({ step: 'agent', session: null });
  });

  test(
    'is one that may have work, and runs land ends what runs in its sprite',
    async () => {
      using project = spriteProject();
      project.agent('echo two >> a.txt; echo ready; exec sleep 600');
      const child = project.start('go');
      let said = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.stderr?.resume();
      await eventually(() => said.includes('ready') || null, { timeoutMs: 60_000, what: 'the agent' });
      child.kill('SIGKILL');
      await once(child, 'exit');
      // As it is in the moment between the start of the agent and the answer.
      const { id, session } = shown(project);
      const file = join(project.path, '.wreckit/runs', id, 'run.json');
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), session: null }));
      expect(session).toBeString();
      expect(project.wreckit('runs', 'land').status).toBe(0);
      expect(project.git('show', `wreckit/${id}:a.txt`)).toBe('one\ntwo\n');
      const sessions = JSON.parse(project.wreckit('sprite', 'sessions', `run-${id}`, '--json').stdout).data;
      expect(sessions.sessions.map(({ state }: { state: string }) => state)).not.toContain('running');
    },
    TIMEOUT_MS,
  );
});

describe('a run with a time limit', () => {
  test('of more than a timer can wait does not end at once', () => {
    using project = spriteProject();
    project.agent('echo two >> a.txt', { setup: ['true'] });
    project.write({ '.wreckit/config.local.json': '{"timeout_seconds": "30d"}' });
    for (const limit of [[], ['--timeout', '400d']])
      expect(project.run(...limit, 'go')).toMatchObject({
        status: 0,
        data: { run: { outcome: 'completed' } },
      });
  });

  test('of nothing is refused', () => {
    using project = spriteProject();
    project.agent('true');
    const { status, stderr } = project.wreckit('run', '--timeout', '0', 'go');
    expect(status).toBe(2);
    expect(stderr).toContain('"0" is not above 0');
  });
});

test(
  'a run that a second Ctrl+C ends says that its work is in the sprite, and runs land brings it',
  async () => {
    using project = spriteProject();
    project.agent("trap 'echo told' TERM INT; echo two >> a.txt; echo ready; while :; do sleep 1; done");
    const child = project.start('go');
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    let told = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await eventually(() => said.includes('ready') || null, { timeoutMs: 60_000, what: 'the agent to run' });
    child.kill('SIGINT');
    await eventually(() => said.includes('told') || null, {
      timeoutMs: 60_000,
      what: 'the agent to be told',
    });
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    expect(status).toBe(130);
    expect(told).toContain('stopping the agent; the same signal again kills it');
    const text = project.wreckit('runs', 'show').stdout;
    expect(text).not.toContain('fault of the program');
    expect(text).toContain('wreckit runs land');
    const { id } = shown(project);
    expect(project.wreckit('runs', 'land', '--kill').status).toBe(0);
    expect(project.git('show', `wreckit/${id}:a.txt`)).toBe('one\ntwo\n');
    expect(project.sprites()).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'one run at a time works in a sprite: others are refused, also while the agent of a killed one is at work',
  async () => {
    using project = spriteProject();
    project.agent('echo ready; sleep 600', { vmName: 'box' });
    const child = project.start('one');
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr?.resume();
    await eventually(() => said.includes('ready') || null, { timeoutMs: 60_000, what: 'the agent to run' });
    const { id: killed } = shown(project);
    const { status, stdout } = project.wreckit('run', '--json', 'two');
    expect(status).toBe(5);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'SPRITE_BUSY',
      message: `sprite "box": process ${child.pid} runs an agent in it`,
    });
    expect(shown(project)).toMatchObject({ outcome: 'failed', sprite: null });
    child.kill('SIGKILL');
    await once(child, 'exit');
    project.agent('echo three >> a.txt', { vmName: 'box' });
    for (const prompt of ['three', 'again']) {
      expect(JSON.parse(project.wreckit('run', '--json', prompt).stdout).error).toMatchObject({
        code: 'SPRITE_BUSY',
        message: `sprite "box": the agent of run ${killed} still works in it`,
        hint: `end it and bring its work home: wreckit runs land ${killed}`,
      });
    }
    expect(project.wreckit('runs', 'land', killed).status).toBe(0);
    expect(project.run('four').status).toBe(0);
    // Nothing of it is left to be asked for.
    expect(project.run('five').status).toBe(0);
  },
  TIMEOUT_MS,
);
