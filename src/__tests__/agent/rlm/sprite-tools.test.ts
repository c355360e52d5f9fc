import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { agentTools } from '../../../agent/rlm/agent-tools.ts';
import { toolErrorOf } from '../../../agent/rlm/tool.ts';
import { buildToolRegistry, spritePlace, spriteTools } from '../../../agent/rlm-tools.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { eventually } from '../../helpers/eventually.ts';
import { toolKit } from './tool-kit.ts';

const SLOW = 60_000;

test(
  'the sprite tools spawn, run, fix, pull and kill: a whole job on the real engine',
  async () => {
    await using kit = toolKit();
    const spawned = await kit.call('spawn_sprite', { name: 'one', push_project: true, memory: '512MiB' });
    expect(spawned).toMatchObject({ name: 'one', state: 'running', isolation: 'namespace', network: 'none' });
    await kit.call('write_sprite_file', {
      name: 'one',
      path: 'test/new.test.js',
      content: "import a from 'node:assert';import {sum} from '../src/sum.js';a.equal(sum(1, 2), 3);\n",
    });
    const run = { name: 'one', command: ['node', 'test/new.test.js'] };
    expect((await kit.call('exec_in_sprite', run)).exit_code).toBe(1);
    const content = '// $& stays\nexport const sum = (a, b) => a + b;\n';
    await kit.call('write_sprite_file', { name: 'one', path: 'src/sum.js', content });
    expect((await kit.call('exec_in_sprite', run)).exit_code).toBe(0);
    expect(
      (await kit.call('list_sprite_files', { name: 'one', path: 'src' })).entries.map(
        (e: { name: string }) => e.name,
      ),
    ).toContain('sum.js');
    expect((await kit.call('read_sprite_file', { name: 'one', path: 'src/sum.js' })).content).toBe(content);
    const pulled = await kit.call('pull_from_sprite', { name: 'one', path: 'src' });
    expect(pulled.changed).toEqual(['src/sum.js']);
    expect(readFileSync(`${kit.project}/src/sum.js`, 'utf8')).toBe(content);
    expect(await kit.call('kill_sprite', { name: 'one' })).toEqual({ killed: ['one'] });
    expect(await kit.call('list_sprites', {})).toEqual({ sprites: [] });
  },
  SLOW,
);

test(
  'attach_sprite shows a background session from an offset on, and where to go on',
  async () => {
    await using kit = toolKit();
    await kit.call('spawn_sprite', { name: 'bg' });
    const { session_id } = await kit.call('exec_in_sprite', {
      name: 'bg',
      command: ['sh', '-c', 'printf 0123456789'],
      background: true,
    });
    await kit.client.exec('bg', ['true']);
    const first = await kit.call('attach_sprite', { name: 'bg', session_id, from_offset: 0, max_bytes: 4 });
    expect([first.output, first.next_offset, first.more]).toEqual(['0123', 4, true]);
    const rest = await kit.call('attach_sprite', { name: 'bg', session_id, from_offset: first.next_offset });
    expect([rest.output, rest.next_offset, rest.more]).toEqual(['456789', 10, false]);
  },
  SLOW,
);

test(
  'attach_sprite shows what was said on stderr, whole characters, and where a flooded log begins',
  async () => {
    await using kit = toolKit();
    await kit.call('spawn_sprite', { name: 'bg' });
    const ran = async (script: string): Promise<string> => {
      const command = ['sh', '-c', script];
      const { session_id } = await kit.call('exec_in_sprite', { name: 'bg', command, background: true });
      const state = async () => (await kit.call('attach_sprite', { name: 'bg', session_id })).session.state;
      await eventually(async () => (await state()) === 'exited', { timeoutMs: 30_000 });
      return session_id;
    };
    const attach = (session_id: string, more: object = {}) =>
      kit.call('attach_sprite', { name: 'bg', session_id, ...more });
    const failed = await ran('echo started; echo "no such port" >&2; exit 1');
    expect((await attach(failed)).session).toMatchObject({ exit_code: 1, stderr_bytes: 13 });
    expect(await attach(failed, { stream: 'stderr' })).toMatchObject({
      output: 'no such port\n',
      next_offset: 13,
      more: false,
    });
    const euros = await ran("printf 'a€b'");
    const first = await attach(euros, { from_offset: 0, max_bytes: 3 });
    expect([first.output, first.next_offset, first.more]).toEqual(['a', 1, true]);
    expect((await attach(euros, { from_offset: 1 })).output).toBe('€b');
    const flood = await ran("head -c 90000000 /dev/zero | tr '\\0' x");
    const kept = await attach(flood, { from_offset: 0, max_bytes: 10 });
    expect([kept.output, kept.from_offset > 0, kept.next_offset - kept.from_offset]).toEqual([
      'x'.repeat(10),
      true,
      10,
    ]);
  },
  SLOW,
);

test('exec_in_sprite refuses more time than a command may have, instead of giving it less', async () => {
  await using kit = toolKit();
  const [exec] = spriteTools({ scope: kit.scope, maxExecSeconds: 60 }).filter(
    ({ name }) => name === 'exec_in_sprite',
  );
  const answer = await exec?.call({ name: 'a', command: ['true'], timeout_s: 61 });
  const error = toolErrorOf(answer ?? {});
  expect([error?.code, error?.message.includes('timeout_s')]).toEqual(['USAGE', true]);
  expect(exec?.parameters.properties.timeout_s).toMatchObject({ maximum: 60 });
});

test(
  'checkpoint_sprite, restore_sprite and fork_sprite keep and bring back files',
  async () => {
    await using kit = toolKit();
    await kit.call('spawn_sprite', { name: 'state' });
    const write = (content: string) => kit.call('write_sprite_file', { name: 'state', path: 'f', content });
    await write('before');
    const { checkpoint } = await kit.call('checkpoint_sprite', { name: 'state', comment: 'first' });
    await write('after');
    expect(await kit.call('fork_sprite', { name: 'state', new_name: 'copy' })).toMatchObject({
      name: 'copy',
    });
    expect(await kit.call('restore_sprite', { name: 'state', checkpoint })).toMatchObject({ checkpoint });
    expect((await kit.call('read_sprite_file', { name: 'state', path: 'f' })).content).toBe('before');
    expect((await kit.call('read_sprite_file', { name: 'copy', path: 'f' })).content).toBe('after');
    expect((await kit.client.info('copy')).owner).toBe('tree-1');
    expect(await kit.call('kill_sprite', { name: 'copy' })).toEqual({ killed: ['copy'] });
  },
  SLOW,
);

test(
  'the sprite tools keep to their own tree, and never kill the sprite they work in',
  async () => {
    await using kit = toolKit({ scope: { ownSprite: 'home' } });
    await kit.client.start('foreign', { owner: 'tree-2' });
    await kit.client.start('home', { owner: 'tree-1' });
    for (const [tool, args] of [
      ['exec_in_sprite', { name: 'foreign', command: ['true'] }],
      ['read_sprite_file', { name: 'foreign', path: '/etc/passwd' }],
      ['attach_sprite', { name: 'foreign' }],
      ['fork_sprite', { name: 'foreign' }],
      ['kill_sprite', { name: 'foreign' }],
      ['kill_sprite', { name: 'home' }],
    ] as const)
      expect([tool, (await kit.call(tool, args)).error?.code]).toEqual([tool, 'POLICY_DENIED']);
    expect((await kit.call('spawn_sprite', { name: 'foreign' })).error.code).toBe('SPRITE_EXISTS');
    expect((await kit.client.info('foreign')).owner).toBe('tree-2');
    const { sprites } = await kit.call('list_sprites', {});
    expect(sprites.map((sprite: { name: string }) => sprite.name)).toEqual(['home']);
    expect(await kit.scope.killAll()).toEqual([]);
  },
  SLOW,
);

test(
  'spawn_sprite refuses the third of two, 20 at once too, naming the budget',
  async () => {
    await using kit = toolKit({ limits: { maxVMs: 2 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => kit.call('spawn_sprite', {})));
    const refused = answers.filter((answer) => answer.error?.code === 'SPRITE_LIMIT');
    expect([refused.length, refused[0].error.details.budget]).toEqual([18, 'maxVMs']);
    expect(await kit.client.list()).toHaveLength(2);
    const [first] = answers.filter((answer) => answer.error === undefined);
    await kit.call('kill_sprite', { name: first.name });
    expect((await kit.call('spawn_sprite', {})).error).toBeUndefined();
  },
  SLOW,
);

test(
  'exec_in_sprite bounds floods, keeps binary output from breaking, ends what hangs, and honours an abort',
  async () => {
    await using kit = toolKit();
    await kit.call('spawn_sprite', { name: 'odd' });
    const exec = (script: string, more: object = {}, signal?: AbortSignal) =>
      kit.call('exec_in_sprite', { name: 'odd', command: ['sh', '-c', script], ...more }, signal);
    const flood = await exec('head -c 3000000 /dev/zero | tr "\\0" x');
    expect(flood.truncated).toBe(true);
    expect(flood.stdout.length).toBeLessThan(40_000);
    expect(flood.stdout).toContain('characters left out');
    expect((await exec("printf '\\377\\376\\000'")).stdout).toContain('\ufffd');
    expect(await exec('kill -9 $$')).toMatchObject({ exit_code: 137 });
    expect(await exec('sleep 1000', { timeout_s: 0.5 })).toMatchObject({ timed_out: true });
    const controller = new AbortController();
    const aborted = exec('sleep 1000', {}, controller.signal);
    setTimeout(() => controller.abort(), 300);
    const startedAt = performance.now();
    expect((await aborted).error.code).toBe('ABORTED');
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect((await exec('nosuchprogram')).exit_code).toBe(127);
    expect((await exec('cat', { stdin: 'data' })).stdout).toBe('data');
  },
  SLOW,
);

test(
  'the sprite tools answer bad arguments and names with an error, and never throw',
  async () => {
    await using kit = toolKit();
    for (const [tool, args, code] of [
      ['exec_in_sprite', {}, 'USAGE'],
      ['exec_in_sprite', { name: 'a', command: 'ls -la' }, 'USAGE'],
      ['exec_in_sprite', { name: 'a', command: ['ls'], bogus: 1 }, 'USAGE'],
      ['exec_in_sprite', 'text', 'USAGE'],
      ['exec_in_sprite', { name: '../../x', command: ['ls'] }, 'SPRITE_NAME_INVALID'],
      ['exec_in_sprite', { name: 'nosuch', command: ['ls'] }, 'SPRITE_NOT_FOUND'],
      ['spawn_sprite', { name: '-o' }, 'SPRITE_NAME_INVALID'],
      ['spawn_sprite', { memory: 'lots' }, 'USAGE'],
      ['kill_sprite', { name: 'a\n' }, 'SPRITE_NAME_INVALID'],
      ['kill_sprite', { name: 'nosuch' }, 'SPRITE_NOT_FOUND'],
    ] as const)
      expect([tool, args, (await kit.call(tool, args)).error?.code]).toEqual([tool, args, code]);
    const { error } = await kit.call('exec_in_sprite', { name: 7, command: ['ls'] });
    expect(error.message).toContain('name:');
    expect(error.hint).not.toBe('');
  },
  SLOW,
);

test('spawn_sprite never gets more network than the run has', async () => {
  await using kit = toolKit({ scope: { maxNetwork: 'none' } });
  expect((await kit.call('spawn_sprite', { network: 'open' })).error.code).toBe('POLICY_DENIED');
  expect(await kit.client.list()).toEqual([]);
});

test('buildToolRegistry() obeys exact names, and refuses one it does not know', async () => {
  await using kit = toolKit();
  const options = { sprites: { scope: kit.scope } };
  expect([...buildToolRegistry(['list_sprites', 'spawn_sprite'], options).keys()]).toEqual([
    'spawn_sprite',
    'list_sprites',
  ]);
  const error = await wreckitErrorOf(() => buildToolRegistry(['spawn_sprit'], options));
  expect([error.code, error.hint.startsWith('did you mean "spawn_sprite"')]).toEqual(['USAGE', true]);
  expect((await wreckitErrorOf(() => buildToolRegistry(['SPAWN_SPRITE'], options))).code).toBe('USAGE');
  const readOnly = buildToolRegistry(undefined, { ...options, isReadOnly: true });
  expect([...readOnly.keys()]).toEqual([
    'list_sprites',
    'attach_sprite',
    'read_sprite_file',
    'list_sprite_files',
  ]);
});

/** Names, texts and arguments of every tool: whoever changes one of them changes what models and clients rely on. */
test('the tools are the ones models and clients know, with their whole schemas', async () => {
  await using kit = toolKit();
  const { scope } = kit;
  const project = { root: kit.project, pull: 'apply' } as const;
  const place = spritePlace({ client: kit.client, sprite: 'home', dir: '/home/sprite/project' }, kit.budget);
  const parent = { config: { kind: 'rlm', maxIterations: 1 }, cwd: kit.project, prompt: '' } as const;
  const runRlm = () => Promise.reject(new Error('not run'));
  const registry = buildToolRegistry(undefined, {
    place,
    sprites: { scope, project },
    more: agentTools({ scope, project, parent, runRlm }),
  });
  const tools = [...registry.values()].map(({ name, description, parameters, isReadOnly }) => ({
    name,
    description,
    isReadOnly,
    parameters,
  }));
  expect(tools).toMatchSnapshot();
});
