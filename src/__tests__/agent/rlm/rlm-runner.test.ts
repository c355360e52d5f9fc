/** Whole runs against the stub model server: tools in the project itself, and in real sprites. */
import { expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario, Turn } from '../../../../fixtures/model-server/server.ts';
import type { AgentEvent } from '../../../agent/agent-events.ts';
import { Budget } from '../../../agent/rlm/budget.ts';
import { runAgentUnion } from '../../../agent/runner.ts';
import type { RlmAgentConfig } from '../../../schemas.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { fixtureBin } from '../../helpers/fixtures.ts';
import { ran } from './rlm-run.ts';
import { toolKit } from './tool-kit.ts';

const SLOW = 90_000;

const call = (name: string, input: Record<string, unknown>): Turn => ({ call: { name, input } });
const failures = (events: readonly AgentEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'tool_error' ? [event.message] : []));

test.each(['anthropic', 'openai'] as const)(
  'an rlm agent edits the project when the user wants no sandbox (%s)',
  async (wire) => {
    await using kit = toolKit();
    writeFileSync(join(kit.project, 'a.txt'), 'one $& two\n');
    const { result, events } = await ran(
      kit,
      [
        { ...call('Read', { file_path: 'a.txt' }), text: 'I look first.' },
        call('Edit', { file_path: 'a.txt', old_string: 'two', new_string: "$' $& three" }),
        call('Bash', { command: 'cat a.txt' }),
        { text: 'All done.' },
      ],
      { wire },
    );
    expect(result).toMatchObject({ outcome: 'completed', success: true, output: 'All done.', message: null });
    expect(result.usage).toEqual({ inputTokens: 400, outputTokens: 80, cachedInputTokens: 0 });
    expect(readFileSync(join(kit.project, 'a.txt'), 'utf8')).toBe("one $& $' $& three\n");
    expect(events.filter(({ type }) => type === 'tool_started')).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ type: 'run_result', outcome: 'completed' });
    const said = events.flatMap((event) => (event.type === 'assistant_text' ? [event.text] : []));
    expect(said.join('')).toBe('I look first.\nAll done.\n');
  },
);

test(
  'an rlm agent without a word about the sandbox works in a sprite, and what it leaves is removed',
  async () => {
    await using kit = toolKit();
    const { result, events } = await ran(
      kit,
      [
        call('Bash', { command: 'echo inside > made.txt; pwd' }),
        call('spawn_sprite', { name: 'left-over' }),
        { text: 'ok' },
      ],
      { config: { sandbox: undefined } },
    );
    expect([result.outcome, failures(events)]).toEqual(['completed', []]);
    expect(existsSync(join(kit.project, 'made.txt'))).toBe(false);
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test('an rlm agent without a key is AUTH_MISSING naming the variable, before anything is started', async () => {
  await using kit = toolKit();
  for (const [config, variable] of [
    [{}, 'ANTHROPIC_API_KEY'],
    [{ aiProvider: 'openai' }, 'OPENAI_API_KEY'],
    [{ aiProvider: 'google' }, 'GEMINI_API_KEY'],
    [{ aiProvider: 'zai' }, 'ZAI_API_KEY'],
    [{ aiProvider: 'glm' }, 'GLM_API_KEY'],
    [{ sandbox: undefined }, 'ANTHROPIC_API_KEY'],
  ] as const) {
    const error = await wreckitErrorOf(() =>
      runAgentUnion({
        config: { kind: 'rlm', maxIterations: 3, sandbox: false, ...config } as RlmAgentConfig,
        cwd: kit.project,
        prompt: 'x',
        sourceEnv: kit.env,
      }),
    );
    expect([error.code, error.message.includes(variable)]).toEqual(['AUTH_MISSING', true]);
  }
  expect(await kit.client.list()).toEqual([]);
});

test('an rlm agent runs no tool call that only stands in the text', async () => {
  await using kit = toolKit();
  const text =
    'I would call:\n```json\n{"tool":"Bash","input":{"command":"touch pwned"}}\n```\n<tool_use name="Bash">touch pwned</tool_use>';
  const { result, events } = await ran(kit, [{ text }]);
  expect([result.outcome, events.some(({ type }) => type === 'tool_started')]).toEqual(['completed', false]);
  expect(existsSync(join(kit.project, 'pwned'))).toBe(false);
});

test('an rlm agent that makes the same call again and again is stopped', async () => {
  await using kit = toolKit();
  const { result, server } = await ran(kit, () => call('Bash', { command: 'true' }));
  expect([result.outcome, server.requests.length]).toEqual(['failed', 5]);
  expect(result.message).toContain('again and again: Bash');
});

test('an rlm agent out of turns, tokens or money has reached a limit', async () => {
  await using kit = toolKit();
  let count = 0;
  const busy = (): Turn => call('Bash', { command: `echo ${count++}` });
  expect((await ran(kit, busy, { config: { maxIterations: 3 } })).result).toMatchObject({
    outcome: 'limit_reached',
    success: false,
  });
  const tokens = await ran(kit, busy, { config: { maxTotalTokens: 200 } });
  expect([tokens.result.outcome, tokens.result.message?.includes('maxTotalTokens')]).toEqual([
    'limit_reached',
    true,
  ]);
  const money = await ran(kit, busy, { wire: 'openai', config: { model: 'gpt-5', maxCostUsd: 0.0005 } });
  expect([money.result.outcome, money.result.message?.includes('maxCostUsd')]).toEqual([
    'limit_reached',
    true,
  ]);
  expect(money.result.costUsd).toBeGreaterThan(0);
});

test('an rlm agent tells the model of unknown tools and bad arguments, and goes on', async () => {
  await using kit = toolKit();
  const { result, events } = await ran(kit, [
    call('NoSuchTool', {}),
    call('Read', {}),
    call('Read', { file_path: '../../etc/passwd' }),
    call('Edit', { file_path: 'package.json', old_string: 'not in there', new_string: '' }),
    { text: 'gave up' },
  ]);
  expect(result.outcome).toBe('completed');
  const [unknown, missing, outside, unmatched] = failures(events);
  expect(unknown).toContain('there is no tool "NoSuchTool"');
  expect(missing).toContain('file_path');
  expect(outside).toContain('not below the project');
  expect(unmatched).toContain('0 matches');
});

test(
  'an rlm agent gets over 429, 500 and a cut stream, and tells a refused key',
  async () => {
    await using kit = toolKit();
    const flaky = await ran(kit, [
      { status: 429, times: 1, retryAfterS: 0 },
      { status: 500, times: 1 },
      { cut: 'half an ans', times: 1 },
      { text: 'there' },
    ]);
    expect([flaky.result.outcome, flaky.result.output]).toEqual(['completed', 'there']);
    const refused = await ran(kit, [{ status: 401, message: 'bad key sk-test-key-123456' }]);
    expect([refused.result.outcome, refused.server.requests.length]).toEqual(['failed', 1]);
    expect(refused.result.message).toContain('HTTP 401');
    expect(JSON.stringify(refused.events)).not.toContain('sk-test-key-123456');
  },
  SLOW,
);

test('an rlm agent whose conversation no longer fits cuts old answers short, then ends by name', async () => {
  await using kit = toolKit();
  writeFileSync(join(kit.project, 'big.txt'), 'x'.repeat(20_000));
  let reads = 0;
  const { result, server } = await ran(kit, ({ text }) => {
    if (text.length > 130_000)
      return { status: 400, message: 'prompt is too long: 250000 tokens > 200000 maximum' };
    reads += 1;
    return reads < 12 ? call('Bash', { command: `cat big.txt; echo ${reads}` }) : { text: 'fits' };
  });
  expect([result.outcome, result.output]).toEqual(['completed', 'fits']);
  expect(server.requests.length).toBeGreaterThan(12);
  const never = await ran(kit, [{ status: 400, message: 'prompt is too long' }]);
  expect([never.result.outcome, never.result.message]).toEqual([
    'limit_reached',
    'the conversation no longer fits into the model',
  ]);
});

test('an rlm agent ends at once when aborted in the middle of a tool, or of an answer, and in time', async () => {
  await using kit = toolKit();
  const controller = new AbortController();
  const startedAt = performance.now();
  const stopped = await ran(kit, [call('Bash', { command: 'sleep 60' })], {
    signal: controller.signal,
    onAgentEvent: (event) => {
      if (event.type === 'tool_started') setTimeout(() => controller.abort(), 50);
    },
  });
  expect(stopped.result.outcome).toBe('aborted');
  const late = await ran(kit, [{ hang: true }], { timeoutSeconds: 0.3 });
  expect([late.result.outcome, late.result.timedOut]).toEqual(['timed_out', true]);
  expect(performance.now() - startedAt).toBeLessThan(8000);
});

test('an rlm agent has only the tools it is allowed, and a name that is none is refused', async () => {
  await using kit = toolKit();
  const { server } = await ran(kit, [{ text: 'x' }], { allowedTools: ['Read', 'Grep'] });
  expect(server.requests[0]?.tools).toEqual(['Read', 'Grep']);
  const error = await wreckitErrorOf(() => ran(kit, [{ text: 'x' }], { allowedTools: ['Reed'] }));
  expect(error.code).toBe('USAGE');
});

test(
  'run_agent_in_sprite gives a task to an agent in a child sprite, with one budget, and not deeper than allowed',
  async () => {
    await using kit = toolKit();
    const child = (depth: string): Turn =>
      call('run_agent_in_sprite', { agent: 'rlm', prompt: `child task ${depth}` });
    const scenario: Scenario = ({ body, rounds }) => {
      const task = JSON.stringify((body as { messages: unknown[] }).messages[0]);
      if (task.includes('child task 2')) return { text: 'never reached' };
      if (!task.includes('child task 1')) return rounds === 0 ? child('1') : { text: 'parent done' };
      if (rounds === 0) return call('Write', { file_path: 'made-by-child.txt', content: 'hello\n' });
      return rounds === 1 ? child('2') : { text: 'child done' };
    };
    const budget = new Budget({ maxDepth: 1 });
    const { result, events, server } = await ran(kit, scenario, { budget });
    const asked = server.requests.map(({ body }) => JSON.stringify(body));
    expect(asked.some((text) => text.includes('maxDepth'))).toBe(true);
    // Parent and child spend from one pool.
    expect(budget.spent.totalTokens).toBe(server.requests.length * 120);
    expect(result).toMatchObject({ outcome: 'completed', output: 'parent done' });
    const [answer] = events.flatMap((event) =>
      event.type === 'tool_result' ? [JSON.parse(event.content)] : [],
    );
    expect(answer).toMatchObject({ outcome: 'completed', output: 'child done' });
    expect(answer.diff).toContain('made-by-child.txt');
    expect(existsSync(join(kit.project, 'made-by-child.txt'))).toBe(false);
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test('an rlm agent is offered the tools of the MCP servers it is given, and refused one that does not start', async () => {
  await using kit = toolKit();
  const mcpServers = {
    echo: { command: process.execPath, args: [fixtureBin('mcp-echo.mjs')], env: { MCP_ECHO_WORD: 'word' } },
  };
  const { result, events, server } = await ran(
    kit,
    [call('mcp__echo__echo', { text: 'hi' }), { text: 'ok' }],
    { mcpServers },
  );
  const offered = server.requests[0]?.tools.filter((name) => name.startsWith('mcp__'));
  expect([result.outcome, offered]).toEqual(['completed', ['mcp__echo__echo', 'mcp__echo__shout']]);
  const contents = events.flatMap((event) => (event.type === 'tool_result' ? [event.content] : []));
  expect(contents).toEqual(['{"content":"hi word"}']);
  const error = await wreckitErrorOf(() =>
    ran(kit, [{ text: 'x' }], { mcpServers: { bad: { command: '/nonexistent' } } }),
  );
  expect([error.code, error.message.includes('"bad"')]).toEqual(['CONFIG_INVALID', true]);
});
