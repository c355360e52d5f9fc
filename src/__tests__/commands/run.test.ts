/** `wreckit run` and `wreckit runs` with the real engine: a project of git, and agents that are shell scripts. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { eventually } from '../helpers/eventually.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wreckit as wreckitHere } from '../helpers/wreckit.ts';

const WRECKIT = join(packageRoot(), 'bin', 'wreckit');
const TIMEOUT_MS = 90_000;

let dir: TempDir;
let project: string;
let env: Record<string, string>;

beforeEach(() => {
  dir = tempDir();
  project = dir.join('project');
  env = {
    PATH: process.env.PATH ?? '',
    HOME: dir.join('home'),
    WISP_HOME: dir.join('wisp'),
    TMPDIR: dir.path,
  };
  mkdirSync(env.HOME ?? '');
  mkdirSync(join(project, '.wreckit'), { recursive: true });
  writeFileSync(join(project, 'a.txt'), 'one\n');
  writeFileSync(join(project, '.gitignore'), '.wreckit/\n');
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['config', 'user.name', 'T'],
    ['config', 'user.email', 't@t'],
    ['add', '-A'],
    ['commit', '-qm', 'first'],
  ])
    git(...args);
});

afterEach(() => {
  const { data } = JSON.parse(wreckit('sprite', 'list', '--json').stdout);
  for (const { name } of data.sprites) wreckit('sprite', 'kill', name);
  dir[Symbol.dispose]();
});

function git(...args: string[]): string {
  const done = spawnSync('git', args, { cwd: project, env, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout;
}

/** The agent: a script that gets the prompt on its standard input. */
function configure(script: string, more: object = {}): void {
  const agent = { kind: 'sprite', agent: { kind: 'process', command: 'sh', args: ['-c', script] }, ...more };
  writeFileSync(join(project, '.wreckit/config.json'), JSON.stringify({ agent }));
}

function wreckit(...args: string[]) {
  return spawnSync(WRECKIT, args, { cwd: project, env, encoding: 'utf8', timeout: TIMEOUT_MS });
}

function runJson(...args: string[]) {
  const { status, stdout } = wreckit('run', '--json', ...args);
  return { status, ...JSON.parse(stdout) };
}

function sprites(): string[] {
  return JSON.parse(wreckit('sprite', 'list', '--json').stdout).data.sprites.map(
    ({ name }: { name: string }) => name,
  );
}

async function started(child: ChildProcess): Promise<string> {
  return await eventually(
    () => {
      const [id] = existsSync(join(project, '.wreckit/runs'))
        ? readdirSync(join(project, '.wreckit/runs')).filter((name) => name !== '.gitignore')
        : [];
      const path = join(project, '.wreckit/runs', id ?? '', 'output.log');
      if (child.exitCode !== null) throw new Error('it ended too soon');
      return id !== undefined && existsSync(path) && readFileSync(path, 'utf8').includes('ready') ? id : null;
    },
    { timeoutMs: 60_000, what: 'the agent to run' },
  );
}

test('run puts the project in, streams the agent, lands a branch and removes the sprite', () => {
  configure('read -r task; echo "got: $task"; echo two >> a.txt; echo new > b.txt; rm .gitignore');
  writeFileSync(join(project, 'a.txt'), 'one\nmine\n');
  const done = wreckit('run', 'do', 'the', 'thing');
  expect(done.stdout).toStartWith('got: do the thing\n');
  expect(done.status).toBe(0);
  const branch = git('branch', '--list', 'wreckit/*', '--format=%(refname:short)').trim();
  expect(git('show', '--name-status', '--format=%s', branch)).toBe(
    'do the thing\n\nD\t.gitignore\nM\ta.txt\nA\tb.txt\n',
  );
  expect(git('show', `${branch}:a.txt`)).toBe('one\nmine\ntwo\n');
  expect(readFileSync(join(project, 'a.txt'), 'utf8')).toBe('one\nmine\n');
  expect(git('branch', '--show-current')).toBe('main\n');
  expect(sprites()).toEqual([]);
});

test('run brings its work home where stderr, or the events on stdout, can be written no more', () => {
  configure('cat >/dev/null; echo new > b.txt');
  const full = openSync('/dev/full', 'w');
  try {
    const cases: [args: string[], stdio: StdioOptions, status: number][] = [
      [['run', 'go'], ['ignore', 'pipe', full], 0],
      [['run', '--events', 'go'], ['ignore', full, 'pipe'], 1],
    ];
    for (const [args, stdio, status] of cases) {
      const branches = () => git('branch', '--list', 'wreckit/*').split('\n').length;
      const before = branches();
      const options = { cwd: project, env, stdio, timeout: TIMEOUT_MS };
      expect(spawnSync(WRECKIT, args, options).status).toBe(status);
      expect(branches() - before).toBe(1);
    }
  } finally {
    closeSync(full);
  }
  expect(sprites()).toEqual([]);
});

test('run --json of an agent that fails: exit 10, its work landed, its sprite kept and named', () => {
  configure('echo half > half.txt; exit 3');
  const { status, success, data } = runJson('go');
  expect({ status, success }).toEqual({ status: 10, success: true });
  expect(data.run).toMatchObject({
    outcome: 'failed',
    exit_code: 3,
    success: false,
    changed_files: 1,
    sprite: { kept: true },
  });
  expect(git('show', `${data.run.landing.branch}:half.txt`)).toBe('half\n');
  expect(sprites()).toEqual([data.run.sprite.name]);
});

test('run --timeout collects what there is: exit 7', () => {
  configure('echo half > half.txt; sleep 600', { keep: 'never' });
  const { status, data } = runJson('--timeout', '2s', 'go');
  expect(status).toBe(7);
  expect(data.run).toMatchObject({ outcome: 'timed_out', changed_files: 1, sprite: { kept: false } });
  expect(git('show', `${data.run.landing.branch}:half.txt`)).toBe('half\n');
});

test('run --land apply goes into the working tree, and runs undo takes it back', () => {
  configure('echo two >> a.txt; echo new > b.txt');
  expect(runJson('--land', 'apply', 'go').status).toBe(0);
  expect(readFileSync(join(project, 'a.txt'), 'utf8')).toBe('one\ntwo\n');
  expect(wreckit('runs', 'undo').status).toBe(0);
  expect(readFileSync(join(project, 'a.txt'), 'utf8')).toBe('one\n');
  expect(existsSync(join(project, 'b.txt'))).toBe(false);
});

test(
  'run with Ctrl+C stops the agent, brings its work home and ends with 130',
  async () => {
    configure('echo half > half.txt; echo ready; sleep 600');
    const child = spawn(WRECKIT, ['run', '--json', 'go'], {
      cwd: project,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    await started(child);
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    const { data } = JSON.parse(Buffer.concat(output).toString());
    expect(status).toBe(130);
    expect(data.run).toMatchObject({ outcome: 'aborted', changed_files: 1 });
    expect(git('show', `${data.run.landing.branch}:half.txt`)).toBe('half\n');
  },
  TIMEOUT_MS,
);

test(
  'a run whose wreckit is killed goes on; runs show tells the truth and runs land brings its work home',
  async () => {
    configure('echo half > half.txt; echo ready; sleep 600');
    const child = spawn(WRECKIT, ['run', 'go'], { cwd: project, env, stdio: 'ignore' });
    const id = await started(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const shown = wreckit('runs', 'show', id);
    expect(shown.stdout).toContain('interrupted');
    expect(shown.stdout).toContain('its agent still works in the sprite');
    expect(shown.stdout).toContain(`wreckit runs land ${id}`);
    expect(wreckit('runs', 'rm', id).status).toBe(5);
    const landed = wreckit('runs', 'land', id, '--kill', '--json');
    expect(landed.status).toBe(0);
    const { data } = JSON.parse(landed.stdout);
    expect(git('show', `${data.run.landing.branch}:half.txt`)).toBe('half\n');
    expect(sprites()).toEqual([]);
    expect(wreckit('runs', 'rm', id).status).toBe(0);
  },
  TIMEOUT_MS,
);

test('run never falls back to this machine: without an engine it fails and the agent does not run', () => {
  const mark = dir.join('ran-on-the-host');
  configure(`echo ran > ${mark}`);
  env.WISP_RUNTIME = '/nonexistent/runc';
  const { status, success, error } = runJson('go');
  expect({ status, success, code: error.code }).toEqual({
    status: 6,
    success: false,
    code: 'RUNTIME_NOT_FOUND',
  });
  expect(existsSync(mark)).toBe(false);
  writeFileSync(
    join(project, '.wreckit/config.json'),
    JSON.stringify({ agent: { kind: 'process', command: 'sh', args: ['-c', `echo ran > ${mark}`] } }),
  );
  expect(runJson('go').status).toBe(6);
  expect(existsSync(mark)).toBe(false);
  expect(runJson('--no-sandbox', 'go').status).toBe(0);
  expect(existsSync(mark)).toBe(true);
});

test.each([
  [['--no-sandbox', '--keep', 'x'], 2, 'USAGE'],
  [['--no-sandbox', '--land', 'branch', 'x'], 2, 'USAGE'],
  [['--agent', 'nope', 'x'], 2, 'USAGE'],
  [['--sprite', '../x', 'x'], 2, 'SPRITE_NAME_INVALID'],
  [['--network', 'open', '--allow', 'a.example', 'x'], 2, 'USAGE'],
  [['--file', 'missing.md'], 2, 'USAGE'],
  [['--resume', 'latest', 'x'], 2, 'USAGE'],
  [['   '], 2, 'USAGE'],
  [['--agent', 'claude', 'x'], 4, 'AUTH_MISSING'],
  [['--agent', 'codex', 'x'], 4, 'AUTH_MISSING'],
  [['--parallel', '2', 'missing.jsonl'], 2, 'USAGE'],
] as const)('run %p is refused with exit %p and %s, before any sprite', (args, exit, code) => {
  configure('true');
  const { status, success, error } = runJson(...args);
  expect({ status, success, code: error.code }).toEqual({ status: exit, success: false, code });
  expect(sprites()).toEqual([]);
});

test('run --dry-run says what would happen and touches nothing', () => {
  configure('true');
  const { status, data } = runJson('--dry-run', 'go');
  expect(status).toBe(0);
  expect(data.plan).toContain('in a sprite of its own');
  expect(existsSync(join(project, '.wreckit/runs'))).toBe(false);
  expect(sprites()).toEqual([]);
});

test('run --events prints one JSON line for each event, the record last', () => {
  configure('echo hello');
  const { stdout, status } = wreckit('run', '--events', 'go');
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(status).toBe(0);
  expect(events.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual([
    'start',
    'push',
    'agent',
    'collect',
    'kill',
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'run', outcome: 'completed' });
});

test(
  'run --parallel gives every task a sprite and a branch of its own',
  () => {
    configure('read -r task; echo "$task" > "$task.txt"; [ "$task" != bad ]');
    writeFileSync(join(project, 'tasks.jsonl'), '{"id":"x","prompt":"good"}\n"bad"\n\n{"prompt":"fine"}\n');
    const { status, data } = runJson('--parallel', '2', 'tasks.jsonl');
    expect(status).toBe(10);
    expect(
      data.runs.map(({ task, run }: { task: string; run: { outcome: string } }) => [task, run.outcome]),
    ).toEqual([
      ['x', 'completed'],
      ['2', 'failed'],
      ['4', 'completed'],
    ]);
    for (const { run } of data.runs)
      expect(git('diff', '--name-only', `main...${run.landing.branch}`)).toContain(`${run.task}.txt`);
  },
  TIMEOUT_MS,
);

test(
  'setup commands run once per sprite, and a failing one keeps the agent from running',
  () => {
    configure('cat setup.log', { setup: ['echo prepared >> setup.log'], keep: 'always', vmName: 'box' });
    expect(wreckit('run', 'go').stdout).toStartWith('prepared\n');
    expect(wreckit('run', 'go').stdout).toStartWith('prepared\n·'.slice(0, 9));
    expect(wreckit('sprite', 'exec', 'box', '--', 'cat', 'setup.log').stdout).toBe('prepared\n');
    configure('echo should not run', { setup: ['echo broken; exit 4'] });
    const { status, error } = runJson('go');
    expect({ status, code: error.code }).toEqual({ status: 1, code: 'SPRITE_EXEC_FAILED' });
    expect(sprites()).toEqual(['box']);
  },
  TIMEOUT_MS,
);

test('a key for the agent reaches it and is in no record, argument or state file', () => {
  configure(
    'case $OPENAI_API_KEY in canary-value-???) ;; *) exit 9 ;; esac; [ -z "$SPRITES_TOKEN" ] && cat /proc/*/cmdline | tr "\\0" " " | grep -c canary-value-12[3]; true',
  );
  env.OPENAI_API_KEY = 'canary-value-123';
  env.SPRITES_TOKEN = 'org/token/canary';
  const { data } = runJson('--keep', 'go');
  expect(data.run.outcome).toBe('completed');
  expect(wreckit('runs', 'logs').stdout).toBe('0\n');
  const found = spawnSync(
    'grep',
    ['-rl', 'canary-value-123', join(project, '.wreckit'), env.WISP_HOME ?? ''],
    { encoding: 'utf8' },
  );
  expect(found.stdout).toBe('');
});

test(
  'what an agent prints and leaves behind does not steer a terminal; a pipe gets it as it is',
  async () => {
    const sequence = '\\033[2J\\033]0;title\\007';
    configure(
      `printf 'words ${sequence}end\\n'; printf 'a${sequence}b\\r\\n' > evil.txt; ln -s "$(printf '${sequence}')" link`,
    );
    expect(wreckit('run', 'go').status).toBe(0);
    for (const verb of ['logs', 'diff', 'show']) {
      const { stdout, exitCode } = await wreckitHere(['runs', verb], { cwd: project, env, columns: 80 });
      expect({ verb, exitCode }).toEqual({ verb, exitCode: 0 });
      expect(stdout).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
      expect(stdout).toContain(
        verb === 'logs' ? 'words end\n' : verb === 'diff' ? 'a\\u001b[2J' : 'link is a',
      );
    }
    expect(wreckit('runs', 'logs').stdout).toBe('words \x1b[2J\x1b]0;title\x07end\n');
    expect(wreckit('runs', 'diff').stdout).toContain('+a\x1b[2J\x1b]0;title\x07b\r\n');
  },
  TIMEOUT_MS,
);

test('runs list names a run whose record is damaged, and lists the rest', () => {
  configure('true');
  const { data } = runJson('go');
  const damaged = '20260102-030405-0a1b2c';
  mkdirSync(join(project, '.wreckit/runs', damaged));
  writeFileSync(join(project, '.wreckit/runs', damaged, 'run.json'), '{"version":1,');
  const listed = wreckit('runs', 'list', '--json');
  const answer = JSON.parse(listed.stdout).data;
  expect(answer.runs.map(({ id }: { id: string }) => id)).toEqual([data.run.id]);
  expect(answer.unreadable).toEqual([damaged]);
  expect(wreckit('runs').stderr).toContain(`run ${damaged}: its record can't be read`);
});
