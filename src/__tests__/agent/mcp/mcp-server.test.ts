/** The built program as an MCP server, used through the official client. */
import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { startModelServer } from '../../../../fixtures/model-server/server.ts';
import { listSessionLogs } from '../../../agent/mcp/session-logs.ts';
import { SpriteScope } from '../../../agent/rlm/sprite-scope.ts';
import type { SpriteRunner } from '../../../agent/sprite-runner.ts';
import { packageRoot } from '../../../package-root.ts';
import { eventually } from '../../helpers/eventually.ts';
import { succeed } from '../../helpers/programs.ts';
import { type ToolKit, toolKit } from '../rlm/tool-kit.ts';

const SLOW = 90_000;

interface McpKit extends AsyncDisposable {
  readonly client: Client;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the answer as it likes
  call(name: string, args: Record<string, unknown>, options?: object): Promise<any>;
}

async function mcpKit(
  kit: ToolKit,
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<McpKit> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: join(packageRoot(), 'bin', 'wreckit'),
    args: ['mcp', ...args],
    env: { ...kit.env, ...more },
    cwd: kit.project,
  });
  await client.connect(transport);
  return {
    client,
    call: async (name, input, options) => {
      const result = await client.callTool({ name, arguments: input }, undefined, options);
      return result.structuredContent;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const BROKEN = 'export const double = (n) => n + 2;\n';
const TEST = "import a from 'node:assert';import {double} from '../src/double.js';a.equal(double(4), 8);\n";

test(
  'wreckit mcp: two sprites, a failing test mended in one, compared, pulled, both killed',
  async () => {
    await using kit = toolKit();
    writeFileSync(join(kit.project, 'src', 'double.js'), BROKEN);
    writeFileSync(join(kit.project, 'test', 'double.test.js'), TEST);
    await using mcp = await mcpKit(kit);
    for (const name of ['left', 'right'])
      expect(await mcp.call('spawn_sprite', { name, push_project: true })).toMatchObject({
        name,
        state: 'running',
      });
    const run = (name: string) =>
      mcp.call('exec_in_sprite', { name, command: ['node', 'test/double.test.js'] });
    expect((await run('left')).exit_code).toBe(1);
    const mended = BROKEN.replace('n + 2', 'n * 2');
    await mcp.call('write_sprite_file', { name: 'left', path: 'src/double.js', content: mended });
    expect([(await run('left')).exit_code, (await run('right')).exit_code]).toEqual([0, 1]);
    const pulled = await mcp.call('pull_from_sprite', { name: 'left', path: 'src/double.js' });
    expect(pulled.changed).toEqual(['src/double.js']);
    expect(readFileSync(join(kit.project, 'src', 'double.js'), 'utf8')).toBe(mended);
    for (const name of ['left', 'right'])
      expect(await mcp.call('kill_sprite', { name })).toEqual({ killed: [name] });
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test(
  'wreckit mcp tells progress, stops a cancelled call inside too, and offers session logs',
  async () => {
    await using kit = toolKit();
    await using mcp = await mcpKit(kit);
    await mcp.call('spawn_sprite', { name: 'log' });
    const steps: number[] = [];
    await mcp.call(
      'exec_in_sprite',
      { name: 'log', command: ['sh', '-c', 'echo hello; sleep 1.5'] },
      { onprogress: ({ progress }: { progress: number }) => steps.push(progress) },
    );
    expect(steps).toContain(1);
    const controller = new AbortController();
    const call = mcp.call(
      'exec_in_sprite',
      { name: 'log', command: ['sleep', '1000'] },
      { signal: controller.signal },
    );
    const isSleeping = async () =>
      (await kit.client.sessions('log')).some(({ state }) => state === 'running');
    await eventually(isSleeping);
    controller.abort();
    await expect(call).rejects.toThrow();
    await eventually(async () => !(await isSleeping()), { what: 'the end of the cancelled command' });
    const { resources } = await mcp.client.listResources();
    const hello = resources.find(({ name }) => name.includes('echo hello'));
    const { contents } = await mcp.client.readResource({ uri: hello?.uri ?? '' });
    expect(contents[0]).toMatchObject({ text: 'hello\n' });
    await expect(mcp.client.readResource({ uri: 'sprite://../x' })).rejects.toThrow('sprite://NAME');
  },
  SLOW,
);

test(
  'listSessionLogs() shows the logs of the others where one sprite is just being removed',
  async () => {
    await using kit = toolKit();
    for (const name of ['gone', 'stays']) {
      await kit.call('spawn_sprite', { name });
      await kit.call('exec_in_sprite', { name, command: ['echo', 'hello'] });
    }
    const sessions: SpriteRunner['sessions'] = async (name, options) => {
      if (name === 'gone') await kit.client.kill([name]);
      return await kit.client.sessions(name, options);
    };
    const client = new Proxy(kit.client, {
      get: (target, key) => (key === 'sessions' ? sessions : Reflect.get(target, key).bind(target)),
    });
    const scope = new SpriteScope({ ...kit.scope.options, client });
    const logs = await listSessionLogs(scope, new AbortController().signal);
    expect(logs.map(({ name }) => name)).toEqual(['stays: echo hello (stdout)']);
  },
  SLOW,
);

test(
  "wreckit mcp offers what --allow and --read-only leave, and only its owner's sprites",
  async () => {
    await using kit = toolKit();
    await kit.client.start('theirs', { owner: 'someone' });
    {
      await using mcp = await mcpKit(kit, ['--allow', 'list_sprites,kill_sprite']);
      const { tools } = await mcp.client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['list_sprites', 'kill_sprite']);
      expect(await mcp.call('list_sprites', {})).toEqual({ sprites: [] });
      expect((await mcp.call('kill_sprite', { name: 'theirs' })).error.code).toBe('POLICY_DENIED');
      await expect(mcp.call('spawn_sprite', {})).rejects.toThrow('there is no tool');
    }
    {
      await using mcp = await mcpKit(kit, ['--read-only', '--owner', 'all']);
      expect((await mcp.call('list_sprites', {})).sprites).toMatchObject([{ name: 'theirs' }]);
      const { tools } = await mcp.client.listTools();
      expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    }
  },
  SLOW,
);

test(
  'wreckit mcp keeps to maxVMs together with the other servers of the project, 20 calls at once',
  async () => {
    await using kit = toolKit();
    const config = { agent: { kind: 'sprite', maxVMs: 2, agent: { kind: 'rlm', maxConcurrentExecs: 1 } } };
    mkdirSync(join(kit.project, '.wreckit'), { recursive: true });
    writeFileSync(join(kit.project, '.wreckit', 'config.json'), JSON.stringify(config));
    await using one = await mcpKit(kit);
    await using two = await mcpKit(kit);
    const calls = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).call('spawn_sprite', {}),
    );
    const answers = await Promise.all(calls);
    const refused = answers.flatMap(({ error }) => (error === undefined ? [] : [error]));
    expect(refused.map(({ code, details }) => [code, details.budget])).toEqual(
      Array.from({ length: 18 }, () => ['SPRITE_LIMIT', 'maxVMs']),
    );
    const [{ name }] = answers.filter(({ error }) => error === undefined);
    expect(await kit.client.list()).toHaveLength(2);
    // What one server started the other sees, kills and counts.
    expect(await two.call('kill_sprite', { name })).toEqual({ killed: [name] });
    expect((await one.call('spawn_sprite', { name: 'next' })).name).toBe('next');
    const execs = await Promise.all(
      [1, 2].map(() => one.call('exec_in_sprite', { name: 'next', command: ['sleep', '1'] })),
    );
    expect(execs.map(({ error }) => error?.details.budget)).toEqual([undefined, 'maxConcurrentExecs']);
  },
  SLOW,
);

test(
  'wreckit mcp starts sprites as the configuration says, and opens no network that it does not allow',
  async () => {
    await using kit = toolKit();
    mkdirSync(join(kit.project, '.wreckit'), { recursive: true });
    const configure = (agent: object) =>
      writeFileSync(join(kit.project, '.wreckit', 'config.json'), JSON.stringify({ agent }));
    configure({ kind: 'sprite', defaultMemory: '256MiB', allow: ['models.corp.example'] });
    {
      await using mcp = await mcpKit(kit);
      expect(await mcp.call('spawn_sprite', { name: 'one' })).toMatchObject({ network: 'filtered' });
      expect(await mcp.call('spawn_sprite', { name: 'big', memory: '512MiB' })).toMatchObject({
        name: 'big',
      });
      expect(await mcp.call('fork_sprite', { name: 'big', new_name: 'copy' })).toMatchObject({
        name: 'copy',
      });
      const sizes = (await kit.client.list()).map(({ name, resources }) => [name, resources.memory_bytes]);
      const MIB = 1024 ** 2;
      expect(Object.fromEntries(sizes)).toEqual({ one: 256 * MIB, big: 512 * MIB, copy: 512 * MIB });
      const wisp = join(packageRoot(), 'bin', 'wisp');
      expect(await succeed([wisp, 'policy', 'get', 'one'], { env: kit.env })).toContain(
        'models.corp.example',
      );
      await mcp.call('kill_sprite', { name: 'big' });
    }
    const refused = async (network: string): Promise<unknown> => {
      await using mcp = await mcpKit(kit);
      return (await mcp.call('spawn_sprite', { network })).error?.code;
    };
    expect(await refused('open')).toBe('POLICY_DENIED');
    configure({ kind: 'sprite', network: 'none' });
    expect(await refused('filtered')).toBe('POLICY_DENIED');
    configure({ kind: 'sprite', network: 'open' });
    expect(await refused('open')).toBeUndefined();
  },
  SLOW,
);

test(
  'wreckit mcp gives a task to an agent in a sprite, whose work is pulled by the client',
  async () => {
    await using kit = toolKit();
    await using server = await startModelServer(({ rounds }) =>
      rounds === 0
        ? { call: { name: 'Write', input: { file_path: 'made.txt', content: 'by the agent\n' } } }
        : { text: 'I made it.' },
    );
    const keys = { ANTHROPIC_API_KEY: 'sk-test-key-123456', ANTHROPIC_BASE_URL: server.url };
    await using mcp = await mcpKit(kit, [], keys);
    const done = await mcp.call('run_agent_in_sprite', { agent: 'rlm', prompt: 'make a file' });
    expect(done).toMatchObject({ outcome: 'completed', output: 'I made it.' });
    expect(done.diff).toContain('+by the agent');
    expect(existsSync(join(kit.project, 'made.txt'))).toBe(false);
    expect((await mcp.call('pull_from_sprite', { name: done.sprite })).changed).toEqual(['made.txt']);
    expect(readFileSync(join(kit.project, 'made.txt'), 'utf8')).toBe('by the agent\n');
    await using bare = await mcpKit(kit, [], { ANTHROPIC_API_KEY: '' });
    const before = await kit.client.list();
    const { error } = await bare.call('run_agent_in_sprite', { agent: 'rlm', prompt: 'x' });
    expect([error.code, error.message.includes('ANTHROPIC_API_KEY')]).toEqual(['AUTH_MISSING', true]);
    expect(await kit.client.list()).toHaveLength(before.length);
  },
  SLOW,
);
