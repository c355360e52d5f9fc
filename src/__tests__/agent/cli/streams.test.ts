import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AgentEvent } from '../../../agent/agent-events.ts';
import { ClaudeStream } from '../../../agent/cli/claude-stream.ts';
import { CodexStream } from '../../../agent/cli/codex-stream.ts';
import { OpencodeStream } from '../../../agent/cli/opencode-stream.ts';
import { ProcessStream } from '../../../agent/cli/process-stream.ts';
import { CompletionSignal } from '../../../agent/completion-signal.ts';
import type { AgentStream, StreamConclusion } from '../../../agent/invocation.ts';

function recorded(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../../../fixtures/recorded/${name}.jsonl`, import.meta.url)));
}

function play(stream: AgentStream, bytes: Uint8Array, size = bytes.length) {
  const events: AgentEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...stream.push(bytes.subarray(at, at + size)));
  events.push(...stream.end());
  return { events, conclusion: stream.conclusion() };
}

const STREAMS = { claude: ClaudeStream, codex: CodexStream, opencode: OpencodeStream, amp: ClaudeStream };
type Name = keyof typeof STREAMS;
const NAMES = Object.keys(STREAMS) as Name[];

function playRecorded(name: Name, recording: string, size?: number) {
  return play(new STREAMS[name](), recorded(`${name}-${recording}`), size);
}

function facts({ verdict, message, usage, costUsd }: StreamConclusion) {
  return { verdict, message, usage, costUsd };
}

describe.each(NAMES)('the stream of %s', (name) => {
  test('tells words, tools and the end of a run that went well', () => {
    const { events, conclusion } = playRecorded(name, 'ok');
    const kinds = events.filter((event) => event.type !== 'error').map((event) => event.type);
    expect(kinds).toEqual(['assistant_text', 'tool_started', 'tool_result', 'assistant_text']);
    expect(conclusion).toMatchObject({
      verdict: 'completed',
      text: 'All done: wrote hello.txt',
      message: null,
    });
    expect(conclusion.sessionId).toMatch(/^[\w-]{20,}$/);
    expect(conclusion.usage).toEqual({ inputTokens: 200, outputTokens: 40, cachedInputTokens: 0 });
    const uses = events.flatMap((event) => ('toolUseId' in event ? [event.toolUseId] : []));
    expect(new Set(uses).size).toBe(1);
  });

  test('gives the same events wherever the bytes are cut', () => {
    const whole = playRecorded(name, 'ok');
    for (const size of [1, 7, 100, 1000]) expect(playRecorded(name, 'ok', size)).toEqual(whole);
  });

  test('knows an HTTP 401 as a failure', () => {
    const { conclusion } = playRecorded(name, 'http-401');
    expect(conclusion.verdict).toBe('failed');
    expect(conclusion.message).toMatch(/401|Unauthorized/);
  });

  test('has no verdict when it breaks off in the middle of a line', () => {
    const bytes = recorded(`${name}-ok`);
    const lastLine = bytes.lastIndexOf('\n', bytes.length - 2);
    const { events, conclusion } = play(new STREAMS[name](), bytes.subarray(0, lastLine + 20));
    expect(conclusion.verdict).toBeNull();
    expect(events.at(-1)).toEqual({ type: 'error', message: expect.stringContaining('is not JSON') });
  });

  test('takes lines of unknown form, noise and wrong types for nothing', () => {
    const odd = [
      ...['{}', '{"type":"news","x":1}', '{"type":"assistant"}', '{"type":"assistant","message":7}'],
      ...[
        '{"type":"user","message":{"content":"text"}}',
        '{"type":"item.completed"}',
        '{"type":"tool_use","part":[]}',
      ],
      ...['{"type":"step_finish","part":{"reason":"tool-calls","tokens":"many"}}', '{"type":"system"}'],
      ...['{"type":"item.completed","item":{"type":"todo_list","items":[]}}'],
    ];
    const { conclusion } = play(new STREAMS[name](), Buffer.from(`${odd.join('\n')}\n`));
    expect(conclusion.verdict).toBeNull();
  });
});

describe.each(['claude', 'codex', 'amp'] as const)('the stream of %s', (name) => {
  test('knows an HTTP 500 as a failure', () => {
    expect(playRecorded(name, 'http-500').conclusion.verdict).toBe('failed');
  });

  test('goes by the end, not by what went wrong before it', () => {
    expect(facts(playRecorded(name, 'cut-stream').conclusion)).toMatchObject({
      verdict: 'completed',
      message: null,
    });
  });
});

describe('ClaudeStream', () => {
  const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

  test('tells retries of the model as errors', () => {
    const { events } = playRecorded('claude', 'http-401');
    expect(events[0]).toEqual({
      type: 'error',
      message: 'the model did not answer: HTTP 401 authentication_failed, retry 1 of 1',
    });
  });

  test('tells a tool that failed as an error of the tool', () => {
    const { events } = playRecorded('claude', 'tool-error');
    expect(events.find((event) => event.type === 'tool_error')).toMatchObject({
      toolName: 'Bash',
      message: expect.stringContaining('No such file or directory'),
    });
  });

  test.each(['error_max_turns', 'error_max_budget_usd'])('%s is a limit, not a success', (subtype) => {
    const { conclusion } = play(new ClaudeStream(), line({ type: 'result', subtype, is_error: false }));
    expect(conclusion.verdict).toBe('limit_reached');
  });

  test('a question that nobody could answer needs input', () => {
    const tool_input = { questions: [{ question: 'Which port?' }, { question: 'And which host?' }] };
    const permission_denials = [{ tool_name: 'AskUserQuestion', tool_use_id: 't1', tool_input }];
    const result = {
      type: 'result',
      subtype: 'success',
      is_error: false,
      result: 'I asked.',
      permission_denials,
    };
    const { conclusion } = play(new ClaudeStream(), line(result));
    expect(conclusion).toMatchObject({ verdict: 'needs_input', question: 'Which port?\nAnd which host?' });
  });

  test('words of a subagent are not the agent’s', () => {
    const message = { id: 'm', content: [{ type: 'text', text: 'DONE' }] };
    const { events } = play(
      new ClaudeStream(),
      line({ type: 'assistant', message, parent_tool_use_id: 't1' }),
    );
    expect(events).toEqual([]);
  });
});

describe('CodexStream', () => {
  test('tells a command that failed as an error of the tool, with its exit code', () => {
    const { events } = playRecorded('codex', 'tool-error');
    expect(events.find((event) => event.type === 'tool_error')).toMatchObject({
      toolName: 'shell',
      message: "exit 2\nls: cannot access '/nosuchdir': No such file or directory\n",
    });
  });

  test('tells changes of files and calls of MCP tools', () => {
    const item = (value: unknown): string => `${JSON.stringify({ type: 'item.completed', item: value })}\n`;
    const changes = [{ path: 'a.txt', kind: 'add' }];
    const text =
      item({ id: '1', type: 'file_change', changes, status: 'completed' }) +
      item({
        id: '2',
        type: 'mcp_tool_call',
        server: 'echo',
        tool: 'say',
        arguments: { text: 'hi' },
        result: { content: [{ type: 'text', text: 'hi' }] },
        status: 'completed',
      });
    const { events } = play(new CodexStream(), Buffer.from(text));
    expect(events).toEqual([
      { type: 'tool_started', toolUseId: '1', toolName: 'file_change', input: { changes } },
      { type: 'tool_result', toolUseId: '1', toolName: 'file_change', content: 'add a.txt' },
      { type: 'tool_started', toolUseId: '2', toolName: 'mcp__echo__say', input: { text: 'hi' } },
      { type: 'tool_result', toolUseId: '2', toolName: 'mcp__echo__say', content: 'hi' },
    ]);
  });
});

describe('OpencodeStream', () => {
  test.each([
    ['stop', 'completed'],
    ['unknown', 'completed'],
    ['length', 'limit_reached'],
    ['content-filter', 'failed'],
    ['tool-calls', null],
  ] as const)('a last step that ended with "%s" is %p', (reason, verdict) => {
    const text = `${JSON.stringify({ type: 'step_finish', sessionID: 's', part: { reason } })}\n`;
    expect(play(new OpencodeStream(), Buffer.from(text)).conclusion.verdict).toBe(verdict);
  });
});

describe('ProcessStream', () => {
  test.each(NAMES)('recognises the stream of %s by its first line', (name) => {
    const bytes = Buffer.concat([Buffer.from('\n'), recorded(`${name}-ok`)]);
    for (const size of [1, 50, bytes.length]) {
      const { events, conclusion } = play(new ProcessStream(null), bytes, size);
      expect(conclusion).toMatchObject({ verdict: 'completed', isStructured: true, signalSeen: null });
      expect(events.some((event) => event.type === 'tool_result')).toBe(true);
    }
  });

  test('takes everything else for plain words', () => {
    for (const text of ['Hello', 'Hello\n', '{"name":"package"}\nrest', '{ half', '']) {
      const { events, conclusion } = play(new ProcessStream(null), Buffer.from(text), 1);
      expect(conclusion).toMatchObject({ verdict: null, isStructured: false, text });
      expect(events.map((event) => ('text' in event ? event.text : '')).join('')).toBe(text);
    }
  });

  test('finds the signal in the agent’s words and in nothing else of a stream', () => {
    const signal = (): CompletionSignal => new CompletionSignal('wrote hello.txt', 'a prompt');
    expect(play(new ProcessStream(signal()), recorded('claude-ok')).conclusion.signalSeen).toBe(true);
    const inTool = Buffer.from(recorded('claude-ok').toString().replaceAll('wrote hello', 'made hello'));
    const stream = new ProcessStream(new CompletionSignal('File created successfully', 'a prompt'));
    expect(play(stream, inTool).conclusion.signalSeen).toBe(false);
  });
});

test('an agent can not make the stream remember more and more tools', () => {
  const use = (id: string, name: string) =>
    `${JSON.stringify({ type: 'assistant', message: { content: [{ type: 'tool_use', id, name, input: {} }] } })}\n`;
  const result = (id: string) =>
    `${JSON.stringify({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }] } })}\n`;
  const uses = Array.from({ length: 1200 }, (_, index) => use(`id-${index}`, `tool-${index}`)).join('');
  const long = use('long', 'n'.repeat(10_000)) + result('long') + use('i'.repeat(10_000), 'named');
  const { events } = play(
    new ClaudeStream(),
    Buffer.from(uses + result('id-0') + result('id-1199') + long + result('i'.repeat(10_000))),
  );
  const named = events.flatMap((event) => (event.type === 'tool_result' ? [event.toolName] : []));
  expect(named).toEqual(['unknown', 'tool-1199', 'n'.repeat(256), 'unknown']);
});
