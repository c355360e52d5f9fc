import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ModelServer, type Scenario, startModelServer } from '../../../fixtures/model-server/server.ts';
import { eventually } from '../helpers/eventually.ts';
import { RUNTIMES } from '../process/runtimes.ts';

const WRITE: Scenario = [
  { write: { path: 'a.txt', content: 'hi' }, text: 'I write.' },
  { text: 'Done, grüße!' },
];

const PROTOCOLS = {
  anthropic: {
    path: '/v1/messages',
    first: { tools: [{ name: 'Write' }], messages: [{ role: 'user', content: 'go' }] },
    second: {
      messages: [{ role: 'user', content: 'go' }, { role: 'assistant', content: [] }, { role: 'user' }],
    },
  },
  responses: {
    path: '/v1/responses',
    first: { tools: [{ type: 'function', name: 'Write' }], input: 'go' },
    second: {
      input: [
        { role: 'user' },
        { type: 'reasoning' },
        { type: 'message', role: 'assistant' },
        { type: 'function_call' },
        { type: 'function_call_output' },
      ],
    },
  },
  chat: {
    path: '/v1/chat/completions',
    first: { tools: [{ function: { name: 'Write' } }], messages: [{ role: 'user', content: 'go' }] },
    second: { messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'tool' }] },
  },
} as const;
type Protocol = keyof typeof PROTOCOLS;

function post(server: ModelServer, path: string, body: object, headers: Record<string, string> = {}) {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', ...body }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: each protocol's own JSON, looked into field by field
type Json = any;

function eventsOf(text: string): Json[] {
  return text
    .split('\n\n')
    .map((block) => block.split('\n').find((line) => line.startsWith('data: ')))
    .filter((line) => line !== undefined && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line?.slice(6) ?? ''));
}

/** Text and calls of an answer, whatever the protocol. */
const READERS: Record<Protocol, (json: Json) => { text: string; calls: unknown[] }> = {
  anthropic: ({ content }) => ({
    text: content.flatMap((block: Json) => (block.type === 'text' ? [block.text] : [])).join(''),
    calls: content.flatMap((block: Json) => (block.type === 'tool_use' ? [[block.name, block.input]] : [])),
  }),
  responses: ({ output }) => ({
    text: output.flatMap((item: Json) => (item.type === 'message' ? [item.content[0].text] : [])).join(''),
    calls: output.flatMap((item: Json) =>
      item.type === 'function_call' ? [[item.name, JSON.parse(item.arguments)]] : [],
    ),
  }),
  chat: ({ choices }) => ({
    text: choices[0].message.content ?? '',
    calls: (choices[0].message.tool_calls ?? []).map((call: Json) => [
      call.function.name,
      JSON.parse(call.function.arguments),
    ]),
  }),
};

const STREAM_READERS: Record<Protocol, (events: Json[]) => { text: string; calls: unknown[] }> = {
  anthropic: (events) => {
    const names = events.flatMap(({ content_block }) => (content_block?.name ? [content_block.name] : []));
    const inputs = events.map(({ delta }) => delta?.partial_json ?? '').join('');
    return {
      text: events.map(({ delta }) => delta?.text ?? '').join(''),
      calls: names.map((name) => [name, JSON.parse(inputs)]),
    };
  },
  responses: (events) => {
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    const { response } = events.at(-1);
    return { ...READERS.responses(response), text: deltas.map(({ delta }) => delta).join('') };
  },
  chat: (events) => {
    const deltas = events.flatMap(({ choices }) => (choices[0] ? [choices[0].delta] : []));
    const parts = deltas.flatMap(({ tool_calls }) => tool_calls ?? []);
    const names = parts.flatMap((part: Json) => (part.function.name ? [part.function.name] : []));
    const inputs = parts.map((part: Json) => part.function.arguments).join('');
    return {
      text: deltas.map(({ content }) => content ?? '').join(''),
      calls: names.map((name: string) => [name, JSON.parse(inputs)]),
    };
  },
};

describe.each(Object.keys(PROTOCOLS) as Protocol[])('the stub model server, %s', (protocol) => {
  const { path, first, second } = PROTOCOLS[protocol];
  const call = { text: 'I write.', calls: [['Write', { file_path: 'a.txt', content: 'hi' }]] };
  const done = { text: 'Done, grüße!', calls: [] };

  test('calls a tool, then says it is done, as JSON', async () => {
    await using server = await startModelServer(WRITE);
    expect(READERS[protocol](await (await post(server, path, first)).json())).toEqual(call);
    expect(READERS[protocol](await (await post(server, path, second)).json())).toEqual(done);
    expect(server.requests.map(({ rounds, stream }) => [rounds, stream])).toEqual([
      [0, false],
      [1, false],
    ]);
  });

  test('says the same as a stream', async () => {
    await using server = await startModelServer(WRITE);
    const streamed = async (body: object) =>
      STREAM_READERS[protocol](eventsOf(await (await post(server, path, { ...body, stream: true })).text()));
    expect(await streamed(first)).toEqual(call);
    expect(await streamed(second)).toEqual(done);
  });

  test('records what it was asked, with headers', async () => {
    await using server = await startModelServer(WRITE);
    await (await post(server, path, first, { authorization: 'Bearer k' })).text();
    expect(server.requests[0]).toMatchObject({ protocol, path, model: 'm', tools: ['Write'] });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer k');
  });

  test.each([401, 429, 500])('answers %p as often as told, then goes on', async (status) => {
    await using server = await startModelServer([{ status, times: 2, retryAfterS: 1 }, { text: 'there' }]);
    for (let count = 0; count < 2; count += 1) {
      const response = await post(server, path, first);
      expect([response.status, response.headers.get('retry-after')]).toEqual([status, '1']);
      expect(JSON.stringify(await response.json())).toContain(`stubbed HTTP ${status}`);
    }
    expect(READERS[protocol](await (await post(server, path, first)).json()).text).toBe('there');
  });

  test('tears the stream', async () => {
    await using server = await startModelServer([{ cut: 'abcdefgh', times: 1 }, { text: 'there' }]);
    const response = await post(server, path, { ...first, stream: true });
    expect(response.text()).rejects.toThrow();
    await response.text().catch(() => undefined);
    expect((await post(server, path, first)).status).toBe(200);
  });

  test('never answers when told so, and still closes', async () => {
    await using server = await startModelServer([{ hang: true }]);
    const waiting = post(server, path, first, {}).then(
      () => 'answered',
      () => 'closed',
    );
    await eventually(() => server.requests.length > 0);
    await server.close();
    expect(await waiting).toBe('closed');
  });
});

describe('the stub model server', () => {
  test('refuses what it does not speak', async () => {
    await using server = await startModelServer(WRITE);
    expect((await fetch(`${server.url}/v1/elsewhere`)).status).toBe(404);
  });

  test('takes a function for a scenario', async () => {
    await using server = await startModelServer((request) => ({
      text: `${request.model}:${request.text.length > 0}`,
    }));
    const response = await post(server, PROTOCOLS.chat.path, PROTOCOLS.chat.first);
    expect(READERS.chat(await response.json()).text).toBe('m:true');
  });

  test.each(['node', 'bun'] as const)(
    'runs as a program on %s until its stdin closes',
    async (runtime) => {
      const [program, ...args] = RUNTIMES[runtime];
      const file = fileURLToPath(new URL('../../../fixtures/model-server/main.ts', import.meta.url));
      const child = spawn(program, [...args, file], { stdio: ['pipe', 'pipe', 'inherit'] });
      const url = await new Promise<string>((resolve) =>
        child.stdout.once('data', (line) => resolve(String(line).trim())),
      );
      const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: '{}' });
      expect(READERS.chat(await response.json()).text).toBe('Hello.');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      expect(await ended).toBe(0);
    },
    20_000,
  );
});
