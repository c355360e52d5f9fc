/** Agents that go wrong in every way, in real sprites: what comes of it, and that this machine stays whole. */
import { describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { eventually } from '../helpers/eventually.ts';
import { type SpriteProject, spriteProject } from '../helpers/sprite-project.ts';

const TIMEOUT_MS = 90_000;
const MIB = 1024 * 1024;
const read = (project: SpriteProject, name: string): string => readFileSync(join(project.path, name), 'utf8');
const recorded = (name: string): string =>
  readFileSync(join(packageRoot(), 'fixtures/recorded', name), 'utf8');

describe('an agent in a sprite', () => {
  test.each([
    ['nosuch', 127, /there is no program "nosuch" in it/],
    ['./nosuch', 127, /there is no program "\.\/nosuch" in it/],
    ['./tool', 126, /"\.\/tool" is not executable/],
  ])('%p that cannot be started has failed, with how to get it there', (command, exit_code, message) => {
    using project = spriteProject({ tool: 'echo hi\n' });
    for (const args of [[], ['{prompt}']]) {
      const agent = { kind: 'sprite', agent: { kind: 'process', command, args } };
      project.write({ '.wreckit/config.json': JSON.stringify({ agent }) });
      const { status, data } = project.run('go');
      expect(status).toBe(10);
      expect(data.run).toMatchObject({ outcome: 'failed', exit_code, changed_files: 0 });
      expect(data.run.message).toMatch(message);
      expect(data.run.hint).toContain('setup');
    }
  });

  test('of a known kind that is not there: the error says how to install it in a sprite', () => {
    using project = spriteProject();
    project.env.ANTHROPIC_API_KEY = 'x';
    const { data } = project.run('--agent', 'claude', 'go');
    expect(data.run.message).toContain('there is no program "claude" in it');
    expect(data.run.hint).toContain('npm install -g --prefix ~/.local @anthropic-ai/claude-code');
  });

  test('that ends with 127 itself is not taken for a missing one', () => {
    using project = spriteProject();
    project.agent('echo odd >&2; exit 127');
    expect(project.run('go').data.run.message).toBe('sh ended with exit 127: odd');
  });

  test('that crashes has failed with what it complained of, and its work is here', () => {
    using project = spriteProject();
    project.agent('echo half > half.txt; echo boom >&2; kill -SEGV $$');
    const { status, data } = project.run('go');
    expect(status).toBe(10);
    expect(data.run).toMatchObject({
      outcome: 'failed',
      changed_files: 1,
      message: 'sh was ended by SIGSEGV: boom',
    });
  });

  test(
    'that ignores SIGTERM is killed after the grace, with all it started',
    () => {
      using project = spriteProject();
      project.agent("trap '' TERM INT HUP; echo half > half.txt; sleep 987 & while :; do sleep 1; done", {
        vmName: 'box',
      });
      const started = performance.now();
      const { status, data } = project.run('--timeout', '2s', 'go');
      expect(performance.now() - started).toBeLessThan(30_000);
      expect(status).toBe(7);
      expect(data.run).toMatchObject({ outcome: 'timed_out', changed_files: 1 });
      const left = project.wreckit(
        'sprite',
        'exec',
        'box',
        '--',
        'sh',
        '-c',
        'cat /proc/[0-9]*/cmdline | tr "\\0" " "',
      );
      expect(left.stdout).not.toContain('sleep 987');
    },
    TIMEOUT_MS,
  );

  test('that leaves grandchildren holding its output has ended when it ends', () => {
    using project = spriteProject();
    project.agent("(trap '' TERM HUP; exec sleep 600) & echo done > done.txt");
    const started = performance.now();
    expect(project.run('go').data.run).toMatchObject({ outcome: 'completed', changed_files: 1 });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test(
    'that floods does not fill the memory or the disk of this machine',
    async () => {
      using project = spriteProject();
      project.agent("head -c 200000000 /dev/zero | tr '\\0' x; echo; echo end > end.txt");
      const child = project.start('--json', 'go');
      child.stdout?.resume();
      let peak = 0;
      const sampling = setInterval(() => {
        const path = `/proc/${child.pid}/status`;
        if (!existsSync(path)) return;
        const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1];
        if (kib !== undefined) peak = Math.max(peak, Number(kib) * 1024);
      }, 50);
      const [status] = await once(child, 'close');
      clearInterval(sampling);
      expect(status).toBe(0);
      expect(peak).toBeGreaterThan(20 * MIB);
      expect(peak).toBeLessThan(500 * MIB);
      const { data } = JSON.parse(project.wreckit('runs', 'show', 'latest', '--json').stdout);
      expect(data.run.changed_files).toBe(1);
      const log = join(project.path, '.wreckit/runs', data.run.id, 'output.log');
      expect(lstatSync(log).size).toBeLessThan(80 * MIB);
    },
    TIMEOUT_MS,
  );

  test('that prints half a JSON line and ends with 0 has failed', () => {
    using project = spriteProject({ 'said.jsonl': recorded('claude-ok.jsonl') });
    project.agent(`head -n 2 said.jsonl; printf '{"type":"assistant","message":{"content":[{"type":"te'`);
    expect(project.run('go').data.run).toMatchObject({ outcome: 'failed', success: false });
  });

  test.each([
    ['read from stdin', []],
    ['in a file of its own', ['{prompt_file}']],
  ])('finds its prompt, %s, and leaves nothing of it in a sprite that stays', (_how, more) => {
    using project = spriteProject();
    const script = 'cat -- "$@" > "$HOME/told"; ls -A /dev/shm > "$HOME/seen"';
    const inner = { kind: 'process', command: 'sh', args: ['-c', script, 'sh', ...more] };
    const agent = { kind: 'sprite', vmName: 'box', keep: 'always', agent: inner };
    project.write({ '.wreckit/config.json': JSON.stringify({ agent }) });
    expect(project.run('the prompt').data.run.outcome).toBe('completed');
    const inSprite = (script: string) =>
      project.wreckit('sprite', 'exec', 'box', '--', 'sh', '-c', script).stdout;
    expect(inSprite('cat ~/told')).toBe('the prompt');
    expect(inSprite('ls -A /dev/shm')).toBe('');
    // Nothing else is in the directory of a prompt on stdin: it need not stay for the run.
    expect(inSprite('cat ~/seen') === '').toBe(more.length === 0);
  });

  test('that claims to be done without a change: the run says that no files were changed', () => {
    using project = spriteProject();
    project.agent('echo "I fixed everything."');
    const { stdout, status } = project.wreckit('run', 'go');
    expect(status).toBe(0);
    expect(stdout).toContain('no files were changed');
    expect(project.git('branch', '--list', 'wreckit/*')).toBe('');
  });

  test.each([
    'claude-http-401',
    'claude-http-500',
    'claude-cut-stream',
    'codex-http-401',
    'codex-http-500',
    'codex-cut-stream',
    'amp-http-401',
    'opencode-http-401',
  ])('whose model fails (%s) is judged by its result, whatever it exits with', (name) => {
    using project = spriteProject({ 'said.jsonl': recorded(`${name}.jsonl`) });
    project.agent('cat said.jsonl; exit 0');
    // Both tried again and had an answer in the end.
    const gotOver = name.endsWith('cut-stream');
    expect(project.run('go').data.run).toMatchObject({ success: gotOver, changed_files: 0 });
  });
});

/** A run that waits, once the agent has done its work, until `release` is called. */
async function heldRun(project: SpriteProject, script: string, ...args: string[]) {
  project.agent(`${script}\necho ready; while [ ! -e /tmp/go ]; do sleep 0.1; done`, { vmName: 'box' });
  const child = project.start(...args, 'go');
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.resume();
  await eventually(() => Buffer.concat(output).includes('ready') || null, {
    timeoutMs: 60_000,
    what: 'the agent to be done',
  });
  return {
    release: async (): Promise<number> => {
      project.wreckit('sprite', 'exec', 'box', '--', 'touch', '/tmp/go');
      const [status] = await once(child, 'close');
      return status;
    },
  };
}

test(
  'a host edited during the run in every way keeps its edits under --land apply, and undo brings them back',
  async () => {
    const lines = (first: string, last: string): string => `${first}\n2\n3\n4\n5\n6\n7\n8\n${last}\n`;
    using project = spriteProject({
      'only.txt': 'old\n',
      'merge.txt': lines('1', '9'),
      'clash.txt': 'old\n',
      'same.txt': 'old\n',
      'gone-there.txt': 'old\n',
      'gone-here.txt': 'old\n',
      'turned.txt': 'old\n',
      'link.txt': 'old\n',
    });
    const outside = project.beside('outside');
    writeFileSync(outside, 'precious\n');
    const held = await heldRun(
      project,
      `sed -i s/9/nine/ merge.txt; echo new > same.txt; rm gone-there.txt
       for f in only clash gone-here turned link both; do echo theirs > $f.txt; done`,
      ...['--land', 'apply'],
    );
    project.write({
      'merge.txt': lines('one', '9'),
      'clash.txt': 'mine\n',
      'same.txt': 'new\n',
      'gone-there.txt': 'mine\n',
      'mine.txt': 'mine\n',
      'both.txt': 'mine\n',
    });
    for (const name of ['gone-here.txt', 'turned.txt', 'link.txt']) rmSync(join(project.path, name));
    mkdirSync(join(project.path, 'turned.txt'));
    project.write({ 'turned.txt/inner': 'mine\n' });
    symlinkSync(outside, join(project.path, 'link.txt'));
    const before = project.git('status', '--porcelain');
    await held.release();
    expect({
      only: read(project, 'only.txt'),
      merge: read(project, 'merge.txt'),
      clash: read(project, 'clash.txt'),
      same: read(project, 'same.txt'),
      gone: read(project, 'gone-there.txt'),
      mine: read(project, 'mine.txt'),
      both: read(project, 'both.txt'),
      inner: read(project, 'turned.txt/inner'),
      outside: readFileSync(outside, 'utf8'),
    }).toEqual({
      only: 'theirs\n',
      merge: lines('one', 'nine'),
      clash: 'mine\n',
      same: 'new\n',
      gone: 'mine\n',
      mine: 'mine\n',
      both: 'mine\n',
      inner: 'mine\n',
      outside: 'precious\n',
    });
    expect(existsSync(join(project.path, 'gone-here.txt'))).toBe(false);
    expect(lstatSync(join(project.path, 'link.txt')).isSymbolicLink()).toBe(true);
    for (const name of ['clash', 'gone-here', 'both', 'turned', 'link'])
      expect(read(project, `${name}.txt.sprite`)).toBe('theirs\n');
    expect(project.wreckit('runs', 'undo').status).toBe(0);
    expect(project.git('status', '--porcelain')).toBe(before);
    expect(read(project, 'merge.txt')).toBe(lines('one', '9'));
  },
  TIMEOUT_MS,
);

test.each(['apply', 'branch'])(
  'what an agent plants in its repository runs nothing here with --land %s',
  (land) => {
    using project = spriteProject({ 'a.txt': 'one\n', 'kept/b.txt': 'b\n' });
    const mark = project.beside('ran-on-the-host');
    const evil = `touch ${mark}`;
    project.agent(`
      for hook in pre-commit post-checkout post-merge post-index-change reference-transaction pre-push; do
        printf '#!/bin/sh\\n${evil}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook
      done
      git config core.fsmonitor '${evil}'; git config core.pager '${evil}'; git config diff.external '${evil}'
      git config filter.x.clean '${evil}; cat'; git config filter.x.smudge '${evil}; cat'
      git config core.hooksPath hooks; mkdir hooks; cp .git/hooks/post-checkout hooks/
      echo '* filter=x diff=x' > .gitattributes
      mkdir -p kept/.git inner; cp -r .git/. kept/.git/; git init -q inner; cp .git/config inner/.git/config
      ln -s ${project.beside('outside')} out; ln -s ../../../../etc/passwd up; ln -s .git/hooks dot
      ln -s .. parent; echo two >> a.txt`);
    const { data } = project.run('--land', land, 'go');
    expect(data.run.changed_files).toBeGreaterThan(0);
    const left = data.run.left_in_sprite as { path: string }[];
    expect(left.map(({ path }) => path)).toEqual(expect.arrayContaining(['out', 'up']));
    for (const args of ['status', 'diff', 'log -p --all', 'add -A', 'stash list'])
      project.git(...args.split(' '));
    project.git('commit', '-qm', 'taken', '--allow-empty');
    if (land === 'branch') {
      const branch = (data.run.landing as { branch: string }).branch;
      project.git('merge', '-q', '--no-edit', branch);
      project.git('checkout', '-q', branch);
    }
    expect(read(project, 'a.txt')).toBe('one\ntwo\n');
    expect(existsSync(mark)).toBe(false);
    expect(existsSync(join(project.path, 'kept/.git'))).toBe(false);
    expect(existsSync(join(project.path, 'inner/.git'))).toBe(false);
    for (const name of ['out', 'up', 'parent']) expect(existsSync(join(project.path, name))).toBe(false);
  },
);

describe('wreckit killed with SIGKILL', () => {
  /** Kills it when it says that it begins `step`. */
  async function killedAt(project: SpriteProject, step: string): Promise<void> {
    const child = project.start('--events', 'go');
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.includes(`"step":"${step}"`)) child.kill('SIGKILL');
    });
    child.stderr?.resume();
    await once(child, 'close');
    expect(text).toContain(`"step":"${step}"`);
  }

  test.each(['start', 'push'])(
    'at %s: nothing of the agent is there, and nothing of this machine is lost',
    async (step) => {
      using project = spriteProject();
      project.agent('echo half > half.txt');
      await killedAt(project, step);
      expect(project.wreckit('runs', 'show').stdout).toContain('interrupted');
      const landed = project.wreckit('runs', 'land', 'latest', '--land', 'apply', '--kill', '--json');
      expect(landed.status).toBe(0);
      expect(JSON.parse(landed.stdout).data.run).toMatchObject({
        outcome: 'aborted',
        changed_files: 0,
        landing: null,
        message: 'it was cut off before its agent ran: there is no work to land',
      });
      expect(project.sprites()).toEqual([]);
      expect(read(project, 'a.txt')).toBe('one\n');
      expect(project.git('status', '--porcelain')).toBe('');
      expect(project.wreckit('runs', 'rm', 'latest').status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test.each(['agent', 'collect', 'land'])(
    'at %s: runs land brings the work home',
    async (step) => {
      using project = spriteProject();
      const pause = step === 'agent' ? '; sleep 600' : '';
      project.agent(`echo half > half.txt; echo two >> a.txt${pause}`);
      await killedAt(project, step);
      if (step === 'agent') {
        const [name = ''] = project.sprites();
        await eventually(
          () => project.wreckit('sprite', 'exec', name, '--', 'cat', 'half.txt').status === 0 || null,
          { timeoutMs: 30_000, what: 'the agent to write' },
        );
      }
      expect(project.wreckit('runs', 'show').stdout).toContain('interrupted');
      const landed = project.wreckit('runs', 'land', 'latest', '--kill', '--json');
      expect(landed.status).toBe(0);
      const { branch } = JSON.parse(landed.stdout).data.run.landing;
      expect(project.git('show', `${branch}:half.txt`)).toBe('half\n');
      expect(project.sprites()).toEqual([]);
      expect(project.git('status', '--porcelain')).toBe('');
    },
    TIMEOUT_MS,
  );
});

describe('a second Ctrl+C', () => {
  const STUBBORN = "trap '' TERM INT HUP; echo pid $$; while :; do sleep 0.2; done";

  async function forced(project: SpriteProject, ...args: string[]): Promise<{ status: number; pid: string }> {
    const child = project.start(...args, 'go');
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    child.stderr?.resume();
    const pid = await eventually(() => /pid (\d+)/.exec(text)?.[1] ?? null, {
      timeoutMs: 60_000,
      what: 'the agent to run',
    });
    child.kill('SIGINT');
    const again = setInterval(() => child.kill('SIGINT'), 500);
    const [status] = await once(child, 'close');
    clearInterval(again);
    return { status, pid };
  }

  test(
    'leaves no agent on this machine',
    async () => {
      using project = spriteProject();
      project.agent(STUBBORN);
      const { status, pid } = await forced(project, '--no-sandbox');
      expect(status).toBe(130);
      await eventually(() => !existsSync(`/proc/${pid}`) || null, {
        timeoutMs: 5000,
        what: 'the agent to end',
      });
    },
    TIMEOUT_MS,
  );

  test(
    'leaves no agent in the sprite',
    async () => {
      using project = spriteProject();
      project.agent(STUBBORN, { vmName: 'box' });
      const { status, pid } = await forced(project);
      expect(status).toBe(130);
      await eventually(
        () =>
          project.wreckit('sprite', 'exec', 'box', '--', 'test', '-e', `/proc/${pid}`).status === 1 || null,
        { timeoutMs: 8000, what: 'the agent to end' },
      );
    },
    TIMEOUT_MS,
  );
});
