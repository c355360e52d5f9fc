import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type FakeWisp, fakeSprite } from '../../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../../helpers/wreckit.ts';

function setup(dir: TempDir, config?: object): { fake: FakeWisp; options: Parameters<typeof wreckit>[1] } {
  const fake = fakeSprite(dir);
  mkdirSync(dir.join('.wreckit'), { recursive: true });
  writeFileSync(dir.join('.wreckit/config.json'), JSON.stringify({ schema_version: 1, ...config }));
  return { fake, options: { cwd: dir.path, env: { ...fake.env, WRECKIT_WISP_PATH: fake.path } } };
}

test("wreckit sprite on Fly's command: start, list, exec, kill", async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  expect(await wreckit(['sprite', 'start', 'demo'], options)).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await wreckitJson(['sprite', 'list'], options)).document.data.sprites).toMatchObject([
    { name: 'demo', state: 'cold', engine: 'cloud' },
  ]);
  const { exitCode, document } = await wreckitJson(
    ['sprite', 'exec', 'demo', '--env', 'A=b', '--', 'sh', '-c', 'echo $A; exit 3'],
    options,
  );
  expect([exitCode, document.success, document.data.exit_code, document.data.stdout]).toEqual([
    3,
    true,
    3,
    'b\n',
  ]);
  expect(fake.calls().at(-1)?.argv).toEqual([
    'exec',
    '-s',
    'demo',
    '--no-port-forward',
    '--env',
    'A=b',
    '--',
    'sh',
    '-c',
    'echo $A; exit 3',
  ]);
  const one = await wreckitJson(['sprite', 'exec', 'demo', '--', 'false'], options);
  expect([one.exitCode, one.document.data.exit_code_of]).toEqual([1, ['command', 'sprite']]);
  expect(one.stderr).toContain('which does not tell them apart');
  expect(await wreckit(['sprite', 'kill', 'demo'], options)).toMatchObject({
    exitCode: 0,
    stdout: 'killed demo\n',
  });
  expect((await wreckit(['sprite', 'kill', 'demo'], options)).exitCode).toBe(3);
});

test("wreckit sprite on Fly's command refuses by name what it lacks, and shows what it would run", async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir);
  const refused: [string, string[]][] = [
    ['--memory', ['start', 'demo', '--memory', '1GiB']],
    ['--network', ['start', 'demo', '--network', 'none']],
    ['--user', ['exec', 'demo', '--user', 'root', '--', 'true']],
    ['--env-file', ['exec', 'demo', '--env', 'HOME', '--', 'true']],
    ['info', ['info', 'demo']],
    ['stop', ['stop', 'demo']],
    ['push', ['push', 'demo', '.wreckit/config.json', '/tmp/x']],
    ['pull', ['pull', 'demo', '/tmp/x', 'here']],
    ['fs read', ['fs', 'read', 'demo', '/x']],
    ['gc', ['gc']],
  ];
  for (const [word, line] of refused) {
    const { exitCode, document } = await wreckitJson(['sprite', ...line], options);
    expect([line, document.error.code, document.error.message.includes(word)]).toEqual([
      line,
      'UNSUPPORTED',
      true,
    ]);
    expect(exitCode).toBe(line[0] === 'exec' ? 125 : 9);
  }
  expect(fake.verbs().filter((verb) => verb !== 'api')).toEqual([]);
  fake.play({});
  const plan = await wreckitJson(['sprite', '--dry-run', 'kill', 'a', 'b'], options);
  expect(plan.document.data.commands).toEqual([
    [fake.path, 'api', '/v1/sprites'],
    [fake.path, 'destroy', '-s', 'a', '--force'],
    [fake.path, 'destroy', '-s', 'b', '--force'],
    [fake.path, 'api', '/v1/sprites'],
  ]);
  const attach = await wreckit(['sprite', '--dry-run', 'attach', 'demo'], options);
  expect(attach.stdout).toBe(`would run: ${fake.path} console -s demo\n`);
  expect(fake.calls()).toEqual([]);
});

test("a limit of the configuration that Fly's command can't keep is refused, a built-in one is not asked for", async () => {
  using dir = tempDir();
  const { options } = setup(dir, { agent: { kind: 'sprite', defaultMemory: '2GiB' } });
  const { document } = await wreckitJson(['sprite', 'start', 'demo'], options);
  expect([document.error.code, document.error.message]).toEqual([
    'UNSUPPORTED',
    expect.stringContaining('--memory'),
  ]);
});

test("wreckit run on Fly's command is refused before anything is started, wreckit doctor says so", async () => {
  using dir = tempDir();
  const { fake, options } = setup(dir, {
    agent: { kind: 'sprite', agent: { kind: 'process', command: 'true' } },
  });
  const run = await wreckitJson(['run', 'do something'], options);
  expect([run.exitCode, run.document.error.code]).toEqual([9, 'UNSUPPORTED']);
  expect(run.document.error.message).toContain('cannot push the project');
  expect(fake.calls()).toEqual([]);
  const checks = async () => (await wreckitJson(['doctor'], options)).document.data.checks;
  expect(await checks()).toContainEqual(
    expect.objectContaining({ name: 'engine', status: 'ok', message: 'the cloud answers: 0 sprites' }),
  );
  expect(await checks()).toContainEqual(expect.objectContaining({ name: 'runs', status: 'warn' }));
  fake.play({ api: { stdout: { error: 'unauthorized' } } });
  expect(await checks()).toContainEqual(expect.objectContaining({ name: 'engine', status: 'fail' }));
});
