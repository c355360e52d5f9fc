/** Whole runs of the code loop: real sprites, and the stub model server or Ax's mock for the model. */
import { expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ModelRequest,
  type ModelServer,
  startModelServer,
  type Turn,
} from '../../../../fixtures/model-server/server.ts';
import type { AgentEvent, AgentResult } from '../../../agent/agent-events.ts';
import type { RlmRunOptions } from '../../../agent/agent-options.ts';
import { Budget } from '../../../agent/rlm/budget.ts';
import { codeLoop } from '../../../agent/rlm/code-loop.ts';
import { runAgentUnion } from '../../../agent/runner.ts';
import { AxMockAIService } from '../../../agent/vendor/ax.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import type { AgentConfigUnion, RlmAgentConfig } from '../../../schemas.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { tinyImage } from '../../helpers/tiny-image.ts';
import { type ToolKit, toolKit } from './tool-kit.ts';

const SLOW = 90_000;
const KEY = 'sk-test-key-123456';

type Stage = 'distiller' | 'executor' | 'responder' | 'query' | 'partial';
type Wire = 'anthropic' | 'openai';

function stageOf(text: string): Stage {
  if (text.includes('You (`distiller`)')) return 'distiller';
  if (text.includes('You (`executor`)')) return 'executor';
  if (text.includes('have no turns left')) return 'partial';
  return text.includes('Answer Synthesis Agent') ? 'responder' : 'query';
}

/** What the model says: for a stage and its turn, code; for the responder and queries, words. */
type Script = Partial<Record<Stage, readonly (string | Turn)[]>>;

/** The last line of a stage is said again and again. */
function play(script: Script): (request: Pick<ModelRequest, 'text'>) => Turn {
  const turns = new Map<Stage, number>();
  return ({ text }) => {
    const stage = stageOf(text);
    const turn = turns.get(stage) ?? 0;
    turns.set(stage, turn + 1);
    const lines = script[stage] ?? ['no words'];
    const line = lines[Math.min(turn, lines.length - 1)] ?? '';
    if (typeof line !== 'string') return line;
    if (stage === 'responder') return { text: `Final Answer: ${line}` };
    if (stage === 'partial') return { text: line };
    return { text: stage === 'query' ? `Answer: ${line}` : `Javascript Code: ${line}` };
  };
}

interface Ran {
  readonly result: AgentResult;
  readonly events: AgentEvent[];
  readonly server: ModelServer;
}

interface Extras extends Partial<Omit<RlmRunOptions, 'config'>> {
  readonly config?: Partial<RlmAgentConfig>;
  readonly wire?: Wire;
  /** Keys and URL are added. */
  readonly whole?: AgentConfigUnion;
}

async function ran(kit: ToolKit, script: Script, extras: Extras = {}): Promise<Ran> {
  await using server = await startModelServer(play(script));
  const { config, wire = 'anthropic', whole, ...more } = extras;
  const events: AgentEvent[] = [];
  const keys =
    wire === 'anthropic'
      ? { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url }
      : { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url };
  const result = await runAgentUnion({
    config: whole ?? { kind: 'rlm', maxIterations: 20, mode: 'rlm', ...config },
    cwd: kit.project,
    prompt: 'what went wrong?',
    sourceEnv: { ...kit.env, ...keys },
    onAgentEvent: (event) => void events.push(event),
    ...more,
  });
  return { result, events, server };
}

const LINES = 60_000;
const LOG = Array.from({ length: LINES }, (_, line) =>
  line === 41_234 ? 'ERROR disk full on node-7' : `line ${line} ok`,
).join('\n');
const LARGE = [{ name: 'build.log', text: LOG }];
const FIND =
  'const hits = contextDocuments[0].text.split("\\n").filter((l) => l.startsWith("ERROR")); console.log(hits)';
const HAND_OVER = 'await final("say what failed", { hits })';
const RESPOND = 'await respond("say what failed", { done: true })';

const results = (events: readonly AgentEvent[], name: string): string[] =>
  events.flatMap((event) => (event.type === 'tool_result' && event.toolName === name ? [event.content] : []));
const failures = (events: readonly AgentEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'tool_error' ? [event.message] : []));

test.each(['anthropic', 'openai'] as const)(
  'a large context is searched by code in the sprite, a sub-query asked and tools called from it (%s)',
  async (wire) => {
    await using kit = toolKit();
    const { result, events, server } = await ran(
      kit,
      {
        distiller: [FIND, HAND_OVER],
        executor: [
          'const why = await llmQuery("what is broken?", inputs.distilledContext.hits[0]); console.log(why)',
          'const done = await work.Bash({ command: "echo inside > made.txt; uname -n" }); const spawned = await sprites.spawn_sprite({ name: "second" }); const ran = await sprites.exec_in_sprite({ name: "second", command: ["echo", why] }); console.log(done.exit_code, spawned.state, ran.stdout)',
          'await final("tell it", { why, second: ran.stdout })',
        ],
        query: ['a full disk'],
        responder: ['The disk of node-7 is full.'],
      },
      // No word about the mode: the size decides.
      { wire, context: LARGE, config: { mode: undefined } },
    );
    expect([result.outcome, result.output, failures(events)]).toEqual([
      'completed',
      'The disk of node-7 is full.',
      [],
    ]);
    expect(results(events, 'code').slice(0, 3)).toEqual([
      "[ 'ERROR disk full on node-7' ]\n",
      '',
      'a full disk\n',
    ]);
    expect(results(events, 'code')[3]).toBe('0 running a full disk\n\n');
    expect(events.at(-1)).toMatchObject({ type: 'run_result', outcome: 'completed' });
    // Seven answers of the model, each of 100 + 20 tokens, the sub-query's among them.
    expect([server.requests.length, result.usage]).toEqual([
      7,
      { inputTokens: 700, outputTokens: 140, cachedInputTokens: 0 },
    ]);
    // The material never goes to the provider as a whole.
    expect(Math.max(...server.requests.map(({ text }) => text.length))).toBeLessThan(LOG.length / 10);
    expect(existsSync(join(kit.project, 'made.txt'))).toBe(false);
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test(
  'the model key is nowhere in the sprite, and neither is this machine',
  async () => {
    await using kit = toolKit();
    const look = `const fs = require("node:fs");
      const read = (file) => { try { return fs.readFileSync(file, "latin1"); } catch { return ""; } };
      const pids = fs.readdirSync("/proc").filter((name) => Number(name) > 0);
      const all = pids.map((pid) => read("/proc/" + pid + "/environ") + read("/proc/" + pid + "/cmdline")).join("") + JSON.stringify(process.env);
      console.log(JSON.stringify({ key: all.includes("${KEY.slice(0, 9)}"), seesProject: fs.existsSync(${JSON.stringify(kit.project)}), sprite: process.env.SPRITE_NAME }))`;
    const { events } = await ran(kit, { distiller: [look, RESPOND], responder: ['ok'] }, { context: LARGE });
    expect(JSON.parse(results(events, 'code')[0] ?? '')).toEqual({
      key: false,
      seesProject: false,
      sprite: expect.stringMatching(/^run-/),
    });
  },
  SLOW,
);

test(
  'running out of turns is limit_reached, with what was found so far for the user',
  async () => {
    await using kit = toolKit();
    let turn = 0;
    const busy = new Proxy([] as string[], {
      get: (_target, name) => (name === 'length' ? 1000 : `console.log("turn", ${turn++})`),
    });
    const first = await ran(
      kit,
      { distiller: busy, partial: ['Three turns of three lines.'] },
      { context: LARGE, config: { maxIterations: 3 } },
    );
    expect(first.result).toMatchObject({
      outcome: 'limit_reached',
      success: false,
      output: 'Three turns of three lines.',
      message: 'the agent was not done after 3 turns',
      usage: { inputTokens: 400, outputTokens: 80 },
    });
    expect(first.server.requests.at(-1)?.text).toContain('shows:\\nturn 2');
    expect(first.server.requests.map(({ text }) => stageOf(text))).toEqual([
      'distiller',
      'distiller',
      'distiller',
      'partial',
    ]);
    expect(first.events.at(-2)).toMatchObject({
      type: 'assistant_text',
      text: 'Three turns of three lines.\n',
    });
    // Turns of both stages count together.
    const both = await ran(
      kit,
      { distiller: [FIND, HAND_OVER], executor: busy, partial: [{ status: 400, message: 'no' }] },
      { context: LARGE, config: { maxIterations: 4 } },
    );
    expect([both.result.outcome, both.result.output]).toEqual(['limit_reached', '']);
    expect(both.server.requests.filter(({ text }) => stageOf(text) !== 'partial')).toHaveLength(4);
    // What is used up is not asked for once more.
    const poor = await ran(
      kit,
      { distiller: busy },
      { context: LARGE, config: { maxIterations: 2, maxTotalTokens: 240 } },
    );
    expect([poor.result.outcome, poor.result.output, poor.server.requests.length]).toEqual([
      'limit_reached',
      '',
      2,
    ]);
  },
  SLOW,
);

test(
  'tokens and money of every stage and sub-query come out of one budget',
  async () => {
    await using kit = toolKit();
    const many =
      'const all = []; for (let i = 0; i < 50; i += 1) all.push(await llmQuery("q" + i)); console.log(all)';
    const tokens = await ran(
      kit,
      { distiller: [many], query: ['x'] },
      { context: LARGE, config: { maxTotalTokens: 600 } },
    );
    expect([tokens.result.outcome, tokens.result.message?.includes('maxTotalTokens')]).toEqual([
      'limit_reached',
      true,
    ]);
    expect(tokens.server.requests).toHaveLength(5);
    const money = await ran(
      kit,
      { distiller: [many], query: ['x'] },
      { wire: 'openai', context: LARGE, config: { model: 'gpt-5', maxCostUsd: 0.0005 } },
    );
    expect([money.result.outcome, money.result.message?.includes('maxCostUsd')]).toEqual([
      'limit_reached',
      true,
    ]);
    expect(money.result.costUsd).toBeGreaterThan(0);
    const shared = new Budget({ maxTotalTokens: 10_000 });
    await ran(kit, { distiller: [RESPOND] }, { context: LARGE, budget: shared });
    expect(shared.spent).toMatchObject({ totalTokens: 240, execs: 0, vms: 0 });
  },
  SLOW,
);

test(
  'with room for one command the code runs one at a time, and the interpreter takes none of the room',
  async () => {
    await using kit = toolKit();
    const { result, events } = await ran(
      kit,
      {
        distiller: [HAND_OVER.replace('hits', 'a: 1')],
        executor: [
          'console.log((await work.Bash({ command: "echo alone" })).stdout)',
          'await Promise.all([1, 2].map(() => work.Bash({ command: "sleep 1" }))); console.log("both")',
          RESPOND.replace('respond', 'final'),
        ],
        responder: ['done'],
      },
      { context: LARGE, config: { maxConcurrentExecs: 1 } },
    );
    expect([result.outcome, results(events, 'code')[1]]).toEqual(['completed', 'alone\n\n']);
    expect(failures(events)).toHaveLength(1);
    expect(failures(events)[0]).toContain('maxConcurrentExecs (1)');
  },
  SLOW,
);

test(
  'code that loops for ever or ends its interpreter costs a turn, and the run goes on',
  async () => {
    await using kit = toolKit();
    const { result, events } = await ran(
      kit,
      {
        distiller: [
          'console.log("go"); while (true) {}',
          'console.log("bye"); process.exit(7)',
          FIND,
          HAND_OVER,
        ],
        executor: [
          'process.exit(0); console.log(1)',
          'console.log(typeof hits, contextDocuments.length)',
          RESPOND.replace('respond', 'final'),
        ],
        responder: ['found all the same'],
      },
      { context: LARGE, config: { maxCodeSeconds: 1 } },
    );
    expect([result.outcome, result.output]).toEqual(['completed', 'found all the same']);
    const [loop, exit, late] = failures(events);
    expect(loop).toContain('the code was stopped after 1s of its own');
    expect(exit).toContain('exit code 7');
    expect(late).toContain('exit code 0');
    expect(results(events, 'code')).toEqual(["[ 'ERROR disk full on node-7' ]\n", '', 'undefined 1\n', '']);
  },
  SLOW,
);

test(
  'the same code with the same output again and again is stopped',
  async () => {
    await using kit = toolKit();
    const { result, server } = await ran(kit, { distiller: ['console.log("same")'] }, { context: LARGE });
    expect([result.outcome, result.message, server.requests.length]).toEqual([
      'failed',
      'the agent wrote the same code again and again',
      5,
    ]);
  },
  SLOW,
);

test(
  'an abort in the middle of code, or of an answer, ends the run at once; so does its time',
  async () => {
    await using kit = toolKit();
    const controller = new AbortController();
    let abortedAt = 0;
    const stopped = await ran(
      kit,
      { distiller: ['console.log(1); while (true) {}'] },
      {
        context: LARGE,
        signal: controller.signal,
        onAgentEvent: (event) => {
          if (event.type !== 'tool_started') return;
          abortedAt = performance.now();
          controller.abort();
        },
      },
    );
    expect(stopped.result).toMatchObject({ outcome: 'aborted', success: false });
    expect(abortedAt).toBeGreaterThan(0);
    const late = await ran(kit, { distiller: [{ hang: true }] }, { context: LARGE, timeoutSeconds: 4 });
    expect([late.result.outcome, late.result.timedOut]).toEqual(['timed_out', true]);
    // Kept on failure, with nothing running in them.
    for (const { name } of await kit.client.list()) {
      const sessions = await kit.client.sessions(name);
      expect(sessions.filter(({ state }) => state === 'running')).toEqual([]);
    }
  },
  SLOW,
);

test(
  'a question of the agent is needs_input with the question',
  async () => {
    await using kit = toolKit();
    const { result } = await ran(
      kit,
      { distiller: ['await askClarification("Which node?")'] },
      { context: LARGE },
    );
    expect(result).toMatchObject({ outcome: 'needs_input', success: false, question: 'Which node?' });
  },
  SLOW,
);

test(
  'a refused key and a conversation that no longer fits are told as in the chat loop',
  async () => {
    await using kit = toolKit();
    const refused = await ran(
      kit,
      { distiller: [{ status: 401, message: `bad key ${KEY}` }] },
      { context: LARGE },
    );
    expect(refused.result).toMatchObject({ outcome: 'failed', usage: null });
    expect(refused.result.message).toContain('HTTP 401');
    expect(JSON.stringify(refused.events)).not.toContain(KEY);
    const full = await ran(
      kit,
      { distiller: [{ status: 400, message: 'prompt is too long: 250000 tokens > 200000 maximum' }] },
      { context: LARGE },
    );
    expect(full.result.outcome).toBe('limit_reached');
  },
  SLOW,
);

test(
  'a 429, a 500 and an answer that breaks off are asked again',
  async () => {
    await using kit = toolKit();
    const { result, server } = await ran(
      kit,
      {
        distiller: [{ status: 429, retryAfterS: 0 }, { status: 500 }, { cut: 'Javascript Co' }, RESPOND],
        responder: ['there'],
      },
      { context: LARGE },
    );
    expect([result.outcome, result.output, server.requests.length]).toEqual(['completed', 'there', 5]);
  },
  SLOW,
);

test(
  'without a sandbox for its tools, code of the model still runs in a sprite, which is removed',
  async () => {
    await using kit = toolKit();
    writeFileSync(join(kit.project, 'here.txt'), 'host\n');
    const { result, events } = await ran(
      kit,
      {
        distiller: [HAND_OVER.replace('hits', 'a: 1')],
        executor: [
          'const read = await work.Read({ file_path: "here.txt" }); await work.Write({ file_path: "made.txt", content: "by code" }); const fs = require("node:fs"); console.log(JSON.stringify({ read: read.content, sprite: process.env.SPRITE_NAME, sees: fs.existsSync("made.txt"), project: fs.existsSync(' +
            JSON.stringify(kit.project) +
            ') }))',
          RESPOND.replace('respond', 'final'),
        ],
        responder: ['ok'],
      },
      { context: LARGE, config: { sandbox: false } },
    );
    expect([result.outcome, failures(events)]).toEqual(['completed', []]);
    const seen = JSON.parse(results(events, 'code')[1] ?? '');
    expect(seen).toMatchObject({ sprite: expect.stringMatching(/^s-/), sees: false, project: false });
    expect(seen.read).toContain('host');
    expect(readFileSync(join(kit.project, 'made.txt'), 'utf8')).toBe('by code');
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test(
  'a sprite without an interpreter is told before the model is asked',
  async () => {
    await using kit = toolKit();
    using image = tempDir();
    await using server = await startModelServer(play({}));
    const error = await wreckitErrorOf(async () => {
      const { sprite } = await kit.client.start('bare', {
        image: tinyImage(image.path),
        network: 'none',
        softLimits: true,
      });
      await runAgentUnion({
        config: { kind: 'rlm', maxIterations: 3, mode: 'rlm' },
        cwd: kit.project,
        prompt: 'x',
        place: { client: kit.client, sprite: 'bare', dir: sprite.workdir },
        sourceEnv: { ...kit.env, ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url },
      });
    });
    expect([error.code, error.message]).toEqual([
      'UNSUPPORTED',
      'agent rlm: its code needs Node.js or Python 3, and sprite "bare" has neither "node" nor "python3"',
    ]);
    expect(error.hint).toContain('agent.image');
    expect(server.requests).toEqual([]);
  },
  SLOW,
);

test(
  'a sprite with Python and no Node is asked for Python',
  async () => {
    await using kit = toolKit();
    const only = '/home/sprite/only';
    const { sprite } = await kit.client.start('py', {
      network: 'none',
      softLimits: true,
      env: { PATH: only },
    });
    const link = `/bin/mkdir -p ${only}; for p in sh python3 cat mkdir; do /bin/ln -s "$(PATH=/usr/bin:/bin command -v $p)" ${only}/$p; done`;
    await kit.client.exec('py', ['/bin/sh', '-c', link]);
    const say = play({
      distiller: [
        'hits = [l for l in contextDocuments[0]["text"].split("\\n") if l.startswith("ERROR")]\nprint(hits)',
        'final("say what failed", {"hits": hits})',
      ],
      executor: [
        'why = llmQuery([{"query": "what?", "context": inputs.distilledContext}])\ndone = work.Write(file_path="/home/sprite/found.txt", content=inputs.distilledContext.hits[0])\nprint(why, done.written_bytes)',
        'final("tell", {"why": why})',
      ],
      query: ['a full disk'],
      responder: ['The disk of node-7 is full.'],
    });
    await using server = await startModelServer((request) => {
      const turn = say(request);
      return 'text' in turn ? { text: (turn.text ?? '').replace('Javascript Code', 'Python Code') } : turn;
    });
    const events: AgentEvent[] = [];
    const result = await runAgentUnion({
      config: { kind: 'rlm', maxIterations: 10 },
      cwd: kit.project,
      prompt: 'what went wrong?',
      context: LARGE,
      place: { client: kit.client, sprite: 'py', dir: sprite.workdir },
      sourceEnv: { ...kit.env, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url },
      onAgentEvent: (event) => void events.push(event),
    });
    expect([result.outcome, result.message, failures(events)]).toEqual(['completed', null, []]);
    expect(results(events, 'code')).toEqual([
      "['ERROR disk full on node-7']\n",
      '',
      "['a full disk'] 25\n",
      '',
    ]);
    expect(decodeUtf8(await kit.client.readFile('py', '/home/sprite/found.txt'))).toBe(
      'ERROR disk full on node-7',
    );
    expect(server.requests[0]?.text).toContain('Python Runtime Usage Instructions');
  },
  SLOW,
);

test(
  'codeLoop() works with any service of Ax: here its own mock',
  async () => {
    await using kit = toolKit();
    const { sprite } = await kit.client.start('mock', { network: 'none', softLimits: true });
    const say = play({ distiller: [FIND, 'await respond("x", { hits })'], responder: ['one error'] });
    const usage = {
      ai: 'mock',
      model: 'mock',
      tokens: { promptTokens: 7, completionTokens: 3, totalTokens: 10 },
    };
    const llm = new AxMockAIService({
      features: { functions: true, streaming: false },
      chatResponse: async (request) => {
        const turn = say({ text: JSON.stringify(request.chatPrompt) });
        const content = 'text' in turn ? (turn.text ?? '') : '';
        return { results: [{ index: 0, content, finishReason: 'stop' as const }], modelUsage: usage };
      },
    });
    const budget = new Budget();
    const end = await codeLoop({
      llm: llm as never,
      system: 'you are a test',
      prompt: 'count the errors',
      context: LARGE,
      registry: new Map(),
      place: { client: kit.client, sprite: 'mock', dir: sprite.workdir },
      maxTurns: 10,
      maxTokens: undefined,
      codeMs: 20_000,
      budget,
      signal: new AbortController().signal,
      secrets: [],
      onEvent: async () => undefined,
    });
    expect(end).toMatchObject({
      outcome: 'completed',
      text: 'one error',
      usage: { inputTokens: 21, outputTokens: 9 },
    });
    expect(budget.spent.totalTokens).toBe(30);
  },
  SLOW,
);

test(
  'what a callback throws ends the run and is thrown',
  async () => {
    await using kit = toolKit();
    const work = ran(
      kit,
      { distiller: [FIND] },
      {
        context: LARGE,
        onAgentEvent: () => {
          throw new Error('the listener is broken');
        },
        config: { sandbox: false },
      },
    );
    expect(await work.then(() => 'fine', String)).toContain('the listener is broken');
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);
