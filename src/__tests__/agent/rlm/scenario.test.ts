/**
 * The one job of all: an agent spawns two sprites, runs a failing test in one, fixes the file, sees it pass, compares
 * with the other, pulls the change, kills both. Sandboxed, on the real local engine, whatever wire the model is on.
 */
import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Turn } from '../../../../fixtures/model-server/server.ts';
import type { AgentEvent } from '../../../agent/agent-events.ts';
import { runRlmAgent } from '../../../agent/rlm-runner.ts';
import { AxMockAIService } from '../../../agent/vendor/ax.ts';
import { wispPort } from '../../../sync/index.ts';
import { pushProject } from '../../../sync/push.ts';
import { ran } from './rlm-run.ts';
import { type ToolKit, toolKit } from './tool-kit.ts';

const SLOW = 120_000;
const MENDED = 'export const double = (n) => n * 2;\n';
const testIn = (name: string) => ({
  name: 'exec_in_sprite',
  input: { name, command: ['node', 'test/double.test.js'] },
});

/** Calls of one turn each. */
const CALLS = [
  [
    { name: 'spawn_sprite', input: { name: 'left', push_project: true } },
    { name: 'spawn_sprite', input: { name: 'right', push_project: true } },
  ],
  [testIn('left')],
  [{ name: 'write_sprite_file', input: { name: 'left', path: 'src/double.js', content: MENDED } }],
  [testIn('left'), testIn('right')],
  [
    { name: 'read_sprite_file', input: { name: 'left', path: 'src/double.js' } },
    { name: 'read_sprite_file', input: { name: 'right', path: 'src/double.js' } },
  ],
  [{ name: 'pull_from_sprite', input: { name: 'left', path: 'src' } }],
  [
    { name: 'kill_sprite', input: { name: 'left' } },
    { name: 'kill_sprite', input: { name: 'right' } },
  ],
];
const LAST_WORDS = 'Mended: double() doubles.';

function brokenProject(kit: ToolKit): void {
  writeFileSync(join(kit.project, 'src', 'double.js'), 'export const double = (n) => n + 2;\n');
  const imports = "import a from 'node:assert';import {double} from '../src/double.js';";
  writeFileSync(join(kit.project, 'test', 'double.test.js'), `${imports}a.equal(double(4), 8);\n`);
  git(kit, 'init', '-q');
  git(kit, 'add', '-A');
  git(kit, '-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'broken');
}

function git({ project }: ToolKit, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What the job must have come to, told by the events of its tools. */
function expectDone(events: readonly AgentEvent[]): void {
  expect(events.filter(({ type }) => type === 'tool_error' || type === 'error')).toEqual([]);
  const answers = (tool: string): Record<string, unknown>[] =>
    events.flatMap((event) =>
      event.type === 'tool_result' && event.toolName === tool ? [JSON.parse(event.content)] : [],
    );
  expect(answers('exec_in_sprite').map(({ exit_code }) => exit_code)).toEqual([1, 0, 1]);
  const [left, right] = answers('read_sprite_file');
  expect([left?.content, right?.content]).toEqual([MENDED, MENDED.replace('n * 2', 'n + 2')]);
  expect(answers('pull_from_sprite')).toMatchObject([{ changed: ['src/double.js'] }]);
  expect(answers('kill_sprite')).toEqual([{ killed: ['left'] }, { killed: ['right'] }]);
}

for (const wire of ['anthropic', 'openai'] as const) {
  test.each([true, false])(
    `two sprites, one mended, compared, pulled, both killed: the ${wire} wire (stream: %p)`,
    async (stream) => {
      await using kit = toolKit();
      brokenProject(kit);
      const turns: Turn[] = [...CALLS.map((calls) => ({ calls })), { text: LAST_WORDS }];
      const { result, events, server } = await ran(kit, turns, {
        wire,
        config: { sandbox: undefined, stream },
      });
      expect([result.outcome, result.output]).toEqual(['completed', LAST_WORDS]);
      expectDone(events);
      expect(server.requests.map((request) => [request.protocol, request.stream])).toEqual(
        turns.map(() => [wire === 'anthropic' ? 'anthropic' : 'chat', stream]),
      );
      // It lands as the run's own work does: on a branch, not in what the user has open.
      const branch = git(kit, 'branch', '--list', '--format=%(refname:short)', 'wreckit/*').trim();
      expect(branch).toMatch(/^wreckit\/.*-left-/);
      expect(git(kit, 'show', `${branch}:src/double.js`)).toBe(MENDED);
      expect(readFileSync(join(kit.project, 'src', 'double.js'), 'utf8')).toContain('n + 2');
      expect(await kit.client.list()).toEqual([]);
    },
    SLOW,
  );
}

test(
  "two sprites, one mended, compared, pulled, both killed: driven by Ax's own mock of a model",
  async () => {
    await using kit = toolKit();
    brokenProject(kit);
    const { sprite } = await kit.client.start('home', { owner: 'tree-1' });
    const port = wispPort({ client: kit.client, name: 'home', id: sprite.id, dir: sprite.workdir });
    await pushProject({ root: kit.project, port, isFresh: true });
    const tokens = { promptTokens: 10, completionTokens: 5, totalTokens: 15 };
    const modelUsage = { ai: 'mock', model: 'mock', tokens };
    let turn = 0;
    const llm = new AxMockAIService<string>({
      features: { functions: true, streaming: false },
      chatResponse: async () => {
        const calls = CALLS[turn];
        turn += 1;
        if (calls === undefined)
          return { results: [{ index: 0, content: LAST_WORDS, finishReason: 'stop' as const }], modelUsage };
        const functionCalls = calls.map(({ name, input }, index) => ({
          id: `call-${turn}-${index}`,
          type: 'function' as const,
          function: { name, params: JSON.stringify(input) },
        }));
        return { results: [{ index: 0, functionCalls, finishReason: 'function_call' as const }], modelUsage };
      },
    });
    const events: AgentEvent[] = [];
    const result = await runRlmAgent(
      {
        config: { kind: 'rlm', maxIterations: 20, aiProvider: 'ollama', model: 'mock' },
        cwd: kit.project,
        prompt: 'mend double()',
        sourceEnv: kit.env,
        place: { client: kit.client, sprite: 'home', dir: sprite.workdir, owner: 'tree-1', pull: 'apply' },
        onAgentEvent: (event) => void events.push(event),
      },
      async () => llm,
    );
    expect([result.outcome, result.output]).toEqual(['completed', LAST_WORDS]);
    expect(result.usage).toEqual({ inputTokens: 80, outputTokens: 40, cachedInputTokens: 0 });
    expectDone(events);
    expect(readFileSync(join(kit.project, 'src', 'double.js'), 'utf8')).toBe(MENDED);
    expect((await kit.client.list()).map(({ name }) => name)).toEqual(['home']);
  },
  SLOW,
);
