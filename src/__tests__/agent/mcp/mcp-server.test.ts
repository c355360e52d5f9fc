/** The built program as an MCP server, used through the official client. */
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { packageRoot } from '../../../package-root.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type ToolKit, toolKit } from '../rlm/tool-kit.ts';

const SLOW = 90_000;

interface McpKit extends AsyncDisposable {
  readonly client: Client;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the answer as it likes
  call(name: string, args: Record<string, unknown>, options?: object): Promise<any>;
}

async function mcpKit(kit: ToolKit, args: readonly string[] = []): Promise<McpKit> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: join(packageRoot(), 'bin', 'wreckit'),
    args: ['mcp', ...args],
    env: kit.env,
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
