import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { type FakeScenario, type FakeWisp, fakeWisp } from '../../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../../helpers/wreckit.ts';

interface Setup {
  readonly fake: FakeWisp;
  readonly options: { cwd: string; env: Record<string, string>; columns?: number };
}

function setup(dir: TempDir, scenario?: FakeScenario): Setup {
  const fake = fakeWisp(dir, scenario);
  return { fake, options: { cwd: dir.path, env: { ...fake.env, WRECKIT_WISP_PATH: fake.path } } };
}

/** One command line of every verb, as words after `wreckit sprite`. */
const LINES: readonly (readonly string[])[] = [
  ['start', 'demo'],
  ['list'],
  ['info', 'demo'],
  ['stop', 'demo'],
  ['wake', 'demo'],
  ['exec', 'demo', '--', 'true'],
  ['exec', 'demo', '--detach', '--', 'true'],
  ['sessions', 'demo'],
  ['logs', 'demo', 's1'],
  ['attach', 'demo', 's1'],
  ['kill-session', 'demo', 's1'],
  ['fs', 'mkdir', 'demo', '/home/sprite/d'],
  ['fs', 'ls', 'demo', '/home/sprite'],
  ['fs', 'mv', 'demo', '/home/sprite/d', '/home/sprite/e'],
  ['fs', 'chmod', 'demo', '/home/sprite/e', '0700'],
  ['push', 'demo', 'file.txt', '/home/sprite/file.txt'],
  ['fs', 'read', 'demo', '/home/sprite/file.txt'],
  ['pull', 'demo', '/home/sprite', 'copy'],
  ['fs', 'rm', 'demo', '/home/sprite/e', '--recursive'],
  ['ports', 'demo'],
  ['proxy', 'demo', '3000:80', '0:5432'],
  ['selftest'],
  ['gc'],
  ['kill', 'demo'],
];

function verbOf(line: readonly string[]): string {
  return ['sprite', ...line.slice(0, line[0] === 'fs' ? 2 : 1)].join(' ');
}

test('every sprite verb answers --json with one document that names it', async () => {
  using dir = tempDir();
  const { options } = setup(dir);
  writeFileSync(dir.join('file.txt'), 'hello');
  for (const line of LINES) {
    const { exitCode, document } = await wreckitJson(['sprite', ...line], options);
    expect([line, exitCode, document.success, document.verb]).toEqual([line, 0, true, verbOf(line)]);
  }
});

test('every sprite verb has a help with arguments and examples', async () => {
  for (const line of LINES) {
    const { exitCode, stdout } = await wreckit([...verbOf(line).split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: wreckit ${verbOf(line)}`);
    expect(stdout).toContain(`Examples:\n  wreckit ${verbOf(line)}`);
  }
});

test('every sprite verb under --dry-run prints the commands of wisp and runs none', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  writeFileSync(dir.join('file.txt'), 'hello');
  for (const line of LINES.filter(([verb]) => verb !== 'gc')) {
    const { exitCode, document } = await wreckitJson(['--dry-run', 'sprite', ...line], options);
    expect([line, exitCode, document.data.dry_run]).toEqual([line, 0, true]);
    const commands: string[][] = document.data.commands;
    for (const command of commands) expect(command[0]).toBe(fake.path);
    expect(commands.at(-1)?.slice(1)).toContain(line[0] ?? '');
    const human = await wreckit(['sprite', '--dry-run', ...line], options);
    expect(human.stdout).toStartWith(`would run: ${fake.path} `);
  }
  expect(fake.calls()).toEqual([]);
});

test('--dry-run of gc lets wisp say what it would remove, and remove nothing', async () => {
  using dir = tempDir();
  const item = { kind: 'sprite', name: 'old', reason: 'expired' };
  const { fake, options } = setup(dir, {
    gc: { stdout: { success: true, data: { removed: [item], kept: [] } } },
  });
  const { document } = await wreckitJson(['sprite', 'gc', '--dry-run'], options);
  expect(document.data).toMatchObject({ dry_run: true, removed: [item] });
  expect(fake.calls().at(-1)?.argv).toEqual(['gc', '--json', '--dry-run']);
  const { stdout } = await wreckit(['sprite', 'gc', '--dry-run'], options);
  expect(stdout).toContain('would remove sprite old: expired\n');
});

test('sprite start --dry-run prints the exact words, quoted for a shell', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const { stdout } = await wreckit(
    ['sprite', 'start', 'demo', '--env', "A=it's", '--ttl', '2h', '--dry-run'],
    options,
  );
  expect(stdout.split('\n')).toEqual([
    `would run: ${fake.path} list --json`,
    `would run: ${fake.path} start --json demo --memory 512MiB --cpus 1 --env 'A=it'\\''s' --ttl 2h`,
    '',
  ]);
});

test('the configuration is honoured by sprite start, and flags win', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const agent = {
    kind: 'sprite',
    wispPath: fake.path,
    defaultMemory: '1GiB',
    defaultCPUs: '2',
    image: '/images/base.tar',
    network: 'filtered',
    allow: ['example.org'],
  };
  writeFileSync(dir.join('.wreckitrc'), JSON.stringify({ agent }));
  const { WRECKIT_WISP_PATH: _, ...env } = options.env;
  const configured = { ...options, env };
  await wreckit(['sprite', 'start', 'a'], configured);
  expect(fake.calls().at(-1)?.argv).toEqual([
    ...['start', '--json', 'a', '--image', '/images/base.tar', '--memory', '1GiB', '--cpus', '2'],
    ...['--network', 'filtered', '--allow', 'example.org'],
  ]);
  const flags = ['--memory', '64MiB', '--cpus', '0.5', '--network', 'none', '--image', 'host'];
  await wreckit(['sprite', 'start', 'b', ...flags], configured);
  expect(fake.calls().at(-1)?.argv).toEqual([
    ...['start', '--json', 'b', '--image', 'host', '--memory', '64MiB', '--cpus', '0.5', '--network', 'none'],
  ]);
});

test('maxVMs of the configuration ends in SPRITE_LIMIT with exit 5, and starts nothing', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const limited = { ...options, env: { ...options.env, WRECKIT_MAX_VMS: '2' } };
  expect((await wreckit(['sprite', 'start', 'a'], limited)).exitCode).toBe(0);
  expect((await wreckit(['sprite', 'start', 'b'], limited)).exitCode).toBe(0);
  fake.play({});
  const { exitCode, document } = await wreckitJson(['sprite', 'start', 'c'], limited);
  expect([exitCode, document.error.code]).toEqual([5, 'SPRITE_LIMIT']);
  expect(document.error.message).toContain('maxVMs allows 2');
  expect(fake.verbs()).toEqual(['list']);
  expect((await wreckit(['sprite', 'start', 'a'], limited)).stdout).toBe('a is running\n');
});

test('the timeout of the configuration limits each wisp call and ends commands', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  await wreckit(['sprite', 'start', 'a'], options);
  const limited = { ...options, env: { ...options.env, WRECKIT_SPRITE_TIMEOUT: '1s' } };
  await wreckitJson(['sprite', 'exec', 'a', '--', 'true'], limited);
  expect(fake.calls().at(-1)?.argv).toEqual(['exec', '--json', 'a', '--timeout', '1s', '--', 'true']);
  fake.play({ list: { hang: true } });
  const { exitCode, document } = await wreckitJson(['sprite', 'list'], limited);
  expect([exitCode, document.error.code]).toEqual([7, 'TIMEOUT']);
  expect(document.error.message).toContain('1s');
});

test('sprite exec does not end commands after the built-in timeout', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  await wreckit(['sprite', 'start', 'a'], options);
  await wreckitJson(['sprite', 'exec', 'a', '--', 'true'], options);
  expect(fake.calls().at(-1)?.argv).toEqual(['exec', '--json', 'a', '--', 'true']);
});

test('sprite list prints a table that fits the terminal, and words where there is nothing', async () => {
  using dir = tempDir();
  const { options } = setup(dir);
  expect((await wreckit(['sprite', 'list'], options)).stdout).toContain('no sprites');
  await wreckit(['sprite', 'start', 'a-sprite-with-quite-a-long-name', '--memory', '2GiB'], options);
  const { stdout } = await wreckit(['sprite', 'list'], options);
  const [head = '', row = ''] = stdout.split('\n');
  expect(head.split(/\s+/)).toEqual([
    ...['NAME', 'STATE', 'ISOLATION', 'NETWORK', 'MEMORY', 'CPUS', 'AGE', 'SESSIONS'],
  ]);
  expect(row).toMatch(/^a-sprite-with-quite-a-long-name +running +namespace +none +2 GiB +1 +\d+(ms|s) +0$/);
  const narrow = await wreckit(['sprite', 'list'], { ...options, columns: 80 });
  for (const line of narrow.stdout.split('\n')) {
    expect(line.replaceAll(/\u001b\[\d+m/g, '').length).toBeLessThanOrEqual(80);
  }
});

test('sprite start says on stderr what the engine warns of, and on stdout what was made', async () => {
  using dir = tempDir();
  const { options } = setup(dir);
  const { stdout, stderr } = await wreckit(['sprite', 'start', 'a', '--network', 'open'], options);
  expect(stdout).toBe('started a (isolation namespace, network open, 512 MiB, 1 CPU)\n');
  expect(stderr).toBe('warning: network: the sprite shares the network of this machine\n');
  const quiet = await wreckit(['sprite', 'start', 'b', '--network', 'open', '--quiet'], options);
  expect(quiet.stderr).toBe('');
});

test('lines a wisp prints around its answer become warnings and never reach stdout', async () => {
  using dir = tempDir();
  const { options } = setup(dir, {
    list: { before: 'update available\n', stdout: [{ name: 'a' }, { id: 1 }] },
  });
  const { document, stderr } = await wreckitJson(['sprite', 'list'], options);
  expect(document.data.sprites).toHaveLength(1);
  expect(stderr).toContain('update available');
  expect(stderr).toContain('a sprite without a valid name was left out');
});

test('sprite exec --json reports the exit code, output and how long it took', async () => {
  using dir = tempDir();
  const { options } = setup(dir);
  await wreckit(['sprite', 'start', 'a'], options);
  const line = ['sprite', 'exec', 'a', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42'];
  const { exitCode, document } = await wreckitJson(line, options);
  expect(exitCode).toBe(42);
  expect(document).toMatchObject({
    success: true,
    verb: 'sprite exec',
    data: { exit_code: 42, stdout: 'out\n', stderr: 'err\n', signal: null },
  });
});

test('sprite exec takes a variable from here by name without putting it in argv', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const env = { ...options.env, MY_TOKEN: 'canary-1' };
  await wreckit(['sprite', 'start', 'a'], options);
  const line = [
    'sprite',
    'exec',
    'a',
    '--env',
    'MY_TOKEN',
    '--env',
    'B=2',
    '--',
    'sh',
    '-c',
    'echo $MY_TOKEN$B',
  ];
  const { document } = await wreckitJson(line, { ...options, env });
  expect(document.data.stdout).toBe('canary-12\n');
  expect(fake.calls().at(-1)?.argv.join(' ')).not.toContain('canary');
  const missing = await wreckitJson(['sprite', 'exec', 'a', '--env', 'NOT_SET', '--', 'true'], options);
  expect(missing.document.error.message).toContain('NOT_SET');
});

test('sprite kill wants names or labels, and reports every name that is gone', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  for (const name of ['a', 'b']) await wreckit(['sprite', 'start', name], options);
  for (const line of [['kill'], ['kill', 'a', '--label', 'k=v']]) {
    expect((await wreckitJson(['sprite', ...line], options)).document.error.code).toBe('USAGE');
  }
  expect((await wreckit(['sprite', 'kill', 'a', 'b', 'a'], options)).stdout).toBe('killed a\nkilled b\n');
  expect(fake.calls().at(-1)?.argv).toEqual(['kill', '--json', 'a', 'b']);
});

test('sprite attach without a terminal is NOT_A_TTY and names what to do instead', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const { exitCode, document } = await wreckitJson(['sprite', 'attach', 'demo', 's1'], options);
  expect([exitCode, document.error.code]).toEqual([3, 'SPRITE_NOT_FOUND']);
  const human = await wreckit(['sprite', 'attach', 'demo'], options);
  expect(human.exitCode).toBe(2);
  expect(human.stderr).toContain('wreckit sprite exec demo -- COMMAND');
  expect(fake.verbs()).toEqual(['attach']);
});

test('--engine is handed on to wisp', async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  await wreckit(['sprite', 'list', '--engine', 'cloud'], options);
  expect(fake.calls().at(-1)?.argv).toEqual(['list', '--json', '--engine', 'cloud']);
});

test('sprite exec --json takes as large an answer as --max-output allows, and refuses to allow too much', async () => {
  using dir = tempDir();
  const { options } = setup(dir);
  await wreckit(['sprite', 'start', 'a'], options);
  const command = ['--', 'head', '-c', '12000000', '/dev/zero'];
  const { document } = await wreckitJson(
    ['sprite', 'exec', 'a', '--max-output', '12MiB', ...command],
    options,
  );
  expect(document.data.stdout).toHaveLength(12_000_000);
  const refused = await wreckitJson(['sprite', 'exec', 'a', '--max-output', '33MiB', ...command], options);
  expect([refused.document.error.code, refused.exitCode]).toEqual(['USAGE', 125]);
});
