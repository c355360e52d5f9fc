/** Every provider makes its real requests, with its own wire and key, against the stub model server. */
import { expect, test } from 'bun:test';
import { type ModelRequest, startModelServer, type Turn } from '../../../../fixtures/model-server/server.ts';
import { resolveProvider } from '../../../agent/rlm/provider.ts';
import { runAgentUnion } from '../../../agent/runner.ts';
import type { ErrorCode } from '../../../contract/error-codes.ts';
import type { RlmAgentConfig } from '../../../schemas.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { toolKit } from './tool-kit.ts';

const KEY = 'sk-test-key-123456';
type Provider = NonNullable<RlmAgentConfig['aiProvider']>;

interface Case {
  readonly provider: Provider;
  /** How it is told of the server. */
  readonly env: (url: string) => Record<string, string>;
  readonly config?: (url: string) => Partial<RlmAgentConfig>;
  readonly protocol: ModelRequest['protocol'];
  readonly path: RegExp;
  /** The header the key is in; null: none is sent. */
  readonly header: readonly [name: string, value: string] | null;
}

const BEARER = ['authorization', `Bearer ${KEY}`] as const;
const CHAT = /^\/v1\/chat\/completions$/;

const CASES: Readonly<Record<string, Case>> = {
  anthropic: {
    provider: 'anthropic',
    env: (url) => ({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: url }),
    protocol: 'anthropic',
    path: /^\/v1\/messages$/,
    header: ['x-api-key', KEY],
  },
  'anthropic, a gateway with a bearer token below a path': {
    provider: 'anthropic',
    env: (url) => ({ ANTHROPIC_AUTH_TOKEN: KEY, ANTHROPIC_BASE_URL: `${url}/gateway/` }),
    protocol: 'anthropic',
    path: /^\/gateway\/v1\/messages$/,
    header: BEARER,
  },
  openai: {
    provider: 'openai',
    env: (url) => ({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${url}/v1` }),
    protocol: 'chat',
    path: CHAT,
    header: BEARER,
  },
  'openai-compatible with a key': {
    provider: 'openai-compatible',
    env: () => ({ OPENAI_API_KEY: KEY }),
    config: (url) => ({ baseUrl: `${url}/v1`, model: 'some-model' }),
    protocol: 'chat',
    path: CHAT,
    header: BEARER,
  },
  'openai-compatible without a key': {
    provider: 'openai-compatible',
    env: () => ({}),
    config: (url) => ({ baseUrl: `${url}/v1`, model: 'some-model' }),
    protocol: 'chat',
    path: CHAT,
    header: null,
  },
  google: {
    provider: 'google',
    env: (url) => ({ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url }),
    protocol: 'gemini',
    path: /^\/v1beta\/models\/gemini-2\.5-pro:(streamGenerate|generate)Content$/,
    header: ['x-goog-api-key', KEY],
  },
  ollama: {
    provider: 'ollama',
    env: (url) => ({ OLLAMA_HOST: url.replace('http://', '') }),
    config: () => ({ model: 'qwen3' }),
    protocol: 'chat',
    path: CHAT,
    header: null,
  },
  zai: {
    provider: 'zai',
    env: () => ({ ZAI_API_KEY: KEY }),
    config: (url) => ({ baseUrl: `${url}/api/paas/v4` }),
    protocol: 'chat',
    path: /^\/api\/paas\/v4\/chat\/completions$/,
    header: BEARER,
  },
  glm: {
    provider: 'glm',
    env: () => ({ GLM_API_KEY: KEY }),
    config: (url) => ({ baseUrl: `${url}/api/paas/v4` }),
    protocol: 'chat',
    path: /^\/api\/paas\/v4\/chat\/completions$/,
    header: BEARER,
  },
};

const TURNS: readonly Turn[] = [
  { call: { name: 'Bash', input: { command: 'echo "from the tool"' } }, text: 'I look first.' },
  { text: 'It said: from the tool' },
];

for (const stream of [true, false]) {
  test.each(Object.entries(CASES))(
    `%s: a whole conversation with a tool, ${stream ? 'streamed' : 'as JSON'}`,
    async (_name, { provider, env, config, protocol, path, header }) => {
      await using kit = toolKit();
      await using server = await startModelServer(TURNS);
      const result = await runAgentUnion({
        config: {
          kind: 'rlm',
          maxIterations: 5,
          sandbox: false,
          aiProvider: provider,
          stream,
          ...config?.(server.url),
        },
        cwd: kit.project,
        prompt: 'look',
        sourceEnv: { ...kit.env, ...env(server.url) },
      });
      expect([result.outcome, result.message]).toEqual(['completed', null]);
      expect(result.output).toBe('It said: from the tool');
      expect(result.usage).toEqual({ inputTokens: 200, outputTokens: 40, cachedInputTokens: 0 });
      expect(server.requests).toHaveLength(2);
      for (const request of server.requests) {
        expect([request.protocol, request.stream]).toEqual([protocol, stream]);
        expect(request.path).toMatch(path);
        expect(request.tools).toContain('spawn_sprite');
        if (header !== null) expect(request.headers[header[0]]).toBe(header[1]);
        // The key goes where it belongs and nowhere else.
        const others = Object.entries(request.headers).filter(([name]) => name !== header?.[0]);
        expect(JSON.stringify([others, request.body, request.path])).not.toContain(KEY);
      }
      expect(server.requests[1]?.text).toContain('from the tool');
    },
    60_000,
  );
}

test('resolveProvider() knows the address of every provider that has one', () => {
  const urlOf = (provider: Provider, model?: string) =>
    resolveProvider({ kind: 'rlm', maxIterations: 1, aiProvider: provider, model }, [
      {
        ANTHROPIC_API_KEY: KEY,
        OPENAI_API_KEY: KEY,
        GEMINI_API_KEY: KEY,
        ZAI_API_KEY: KEY,
        GLM_API_KEY: KEY,
      },
    ]).baseUrl;
  // Ax knows the first three by itself, and has none for the last.
  expect(['anthropic', 'openai', 'google'].map((name) => urlOf(name as Provider))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(urlOf('ollama', 'm')).toBe('http://127.0.0.1:11434/v1');
  expect(urlOf('zai')).toBe('https://api.z.ai/api/paas/v4');
  expect(urlOf('glm')).toBe('https://open.bigmodel.cn/api/paas/v4');
});

test("resolveProvider() takes the configuration's token and provider before those of the shell, never one of each", () => {
  const shell = { ANTHROPIC_API_KEY: 'key-of-the-shell', OPENAI_API_KEY: 'key-of-the-shell' };
  const resolved = (own: Record<string, string>, aiProvider?: Provider) =>
    resolveProvider({ kind: 'rlm', maxIterations: 1, aiProvider }, [undefined, own, shell]);
  const gateway = {
    ANTHROPIC_AUTH_TOKEN: 'token-of-the-gateway',
    ANTHROPIC_BASE_URL: 'https://gateway.example',
  };
  expect(resolved(gateway, 'anthropic')).toMatchObject({
    baseUrl: 'https://gateway.example',
    key: 'token-of-the-gateway',
    isBearer: true,
  });
  expect(resolved({ ZAI_API_KEY: 'own' })).toMatchObject({ name: 'zai', key: 'own', isBearer: false });
  expect(resolved({ ANTHROPIC_API_KEY: 'own', ANTHROPIC_AUTH_TOKEN: 'token' })).toMatchObject({
    key: 'own',
    isBearer: false,
  });
  expect(resolved({ ZAI_API_KEY: '' })).toMatchObject({ name: 'anthropic', key: 'key-of-the-shell' });
});

test.each([
  ['127.0.0.1:1234', 'http://127.0.0.1:1234/v1'],
  ['models.example', 'http://models.example:11434/v1'],
  [':1234', 'http://127.0.0.1:1234/v1'],
  ['[::1]', 'http://[::1]:11434/v1'],
  ['https://models.example/', 'https://models.example/v1'],
  ['http://models.example:80/v1', 'http://models.example:80/v1'],
])('resolveProvider() reads OLLAMA_HOST as Ollama does: %s', (value, url) => {
  const config = { kind: 'rlm', maxIterations: 1, aiProvider: 'ollama', model: 'm' } as const;
  expect(resolveProvider(config, [{ OLLAMA_HOST: value }]).baseUrl).toBe(url);
});

const MISSING: readonly (readonly [config: Partial<RlmAgentConfig>, code: ErrorCode, names: string])[] = [
  [{}, 'AUTH_MISSING', 'ANTHROPIC_API_KEY'],
  [{ aiProvider: 'anthropic' }, 'AUTH_MISSING', 'ANTHROPIC_API_KEY'],
  [{ aiProvider: 'openai' }, 'AUTH_MISSING', 'OPENAI_API_KEY'],
  [{ aiProvider: 'google' }, 'AUTH_MISSING', 'GEMINI_API_KEY'],
  [{ aiProvider: 'zai' }, 'AUTH_MISSING', 'ZAI_API_KEY'],
  [{ aiProvider: 'glm' }, 'AUTH_MISSING', 'GLM_API_KEY'],
  // These need no key, and say what they need.
  [{ aiProvider: 'openai-compatible', model: 'm' }, 'CONFIG_INVALID', 'URL'],
  [{ aiProvider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' }, 'CONFIG_INVALID', 'model'],
  [{ aiProvider: 'ollama' }, 'CONFIG_INVALID', 'model'],
];

test.each([true, false])(
  'what a provider lacks is told by name before any sprite is made (sandbox: %p)',
  async (sandbox) => {
    await using kit = toolKit();
    for (const [config, code, names] of MISSING) {
      const error = await wreckitErrorOf(() =>
        runAgentUnion({
          config: { kind: 'rlm', maxIterations: 3, sandbox, ...config },
          cwd: kit.project,
          prompt: 'x',
          sourceEnv: withoutKeys(kit.env),
        }),
      );
      expect([config, error.code, error.message.includes(names)]).toEqual([config, code, true]);
      expect(error.hint).not.toBe('');
    }
    expect(await kit.client.list()).toEqual([]);
  },
);

function withoutKeys(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/API_KEY|AUTH_TOKEN|BASE_URL|OLLAMA/.test(name)),
  );
}
