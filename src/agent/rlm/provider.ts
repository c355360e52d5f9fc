/** Which model an rlm agent asks, with whose key: decided before anything is started, without Ax. */
import { WreckitError } from '../../errors.ts';
import type { RlmAgentConfig } from '../../schemas.ts';

export type ProviderName = NonNullable<RlmAgentConfig['aiProvider']>;
type Environment = Readonly<Record<string, string | undefined>>;

export interface RlmProvider {
  readonly name: ProviderName;
  readonly model: string;
  /** Absent: the provider's own. Without a trailing slash. */
  readonly baseUrl?: string | undefined;
  readonly key: string | null;
  /** The key is a token for an `Authorization: Bearer` header. */
  readonly isBearer: boolean;
}

interface ProviderFacts {
  /** Any one of these; the first is named when none is set. Empty: works without. */
  readonly keys: readonly string[];
  readonly bearerKeys?: readonly string[];
  readonly baseUrlVariable?: string;
  readonly baseUrl?: string;
  /** null: one has to be named. */
  readonly model: string | null;
  /** Where the key may be missing all the same: servers of one's own. */
  readonly isKeyOptional?: boolean;
}

const PROVIDERS: Readonly<Record<ProviderName, ProviderFacts>> = {
  anthropic: {
    keys: ['ANTHROPIC_API_KEY'],
    bearerKeys: ['ANTHROPIC_AUTH_TOKEN'],
    baseUrlVariable: 'ANTHROPIC_BASE_URL',
    model: 'claude-sonnet-4-5',
  },
  openai: { keys: ['OPENAI_API_KEY'], baseUrlVariable: 'OPENAI_BASE_URL', model: 'gpt-5' },
  google: {
    keys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    baseUrlVariable: 'GOOGLE_GEMINI_BASE_URL',
    model: 'gemini-2.5-pro',
  },
  zai: { keys: ['ZAI_API_KEY'], baseUrl: 'https://api.z.ai/api/paas/v4', model: 'glm-4.7' },
  glm: {
    keys: ['GLM_API_KEY', 'ZHIPU_API_KEY', 'ZAI_API_KEY'],
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    model: 'glm-4.7',
  },
  'openai-compatible': {
    keys: ['OPENAI_API_KEY'],
    baseUrlVariable: 'OPENAI_BASE_URL',
    model: null,
    isKeyOptional: true,
  },
  ollama: { keys: [], baseUrlVariable: 'OLLAMA_HOST', baseUrl: 'http://127.0.0.1:11434/v1', model: null },
};

/** In the order in which a key that is there decides. */
const BY_KEY = ['anthropic', 'openai', 'google', 'zai', 'glm'] as const;

/**
 * `environments`: the first that has a variable counts. Throws `AUTH_MISSING` naming the variable, and
 * `CONFIG_INVALID` where a model or a URL has to be named.
 */
export function resolveProvider(
  config: RlmAgentConfig,
  environments: readonly (Environment | undefined)[],
): RlmProvider {
  const lookUp = (variable: string | undefined): string | undefined =>
    variable === undefined
      ? undefined
      : environments.map((env) => env?.[variable]).find((value) => Boolean(value));
  const name = config.aiProvider ?? byKey(config, environments);
  const facts = PROVIDERS[name];
  const credential = credentialOf(facts, environments);
  const needsKey = facts.keys.length > 0 && facts.isKeyOptional !== true;
  if (needsKey && credential === null) throw keyMissing(name, facts);
  const baseUrl = config.baseUrl ?? hostUrl(name, lookUp(facts.baseUrlVariable)) ?? facts.baseUrl;
  if (baseUrl === undefined && name === 'openai-compatible') {
    throw new WreckitError('CONFIG_INVALID', 'agent rlm: the provider "openai-compatible" has no URL', {
      hint: 'set "baseUrl" of the agent to it, such as "http://127.0.0.1:8000/v1"',
    });
  }
  const model = config.model ?? facts.model;
  if (model === null) {
    throw new WreckitError('CONFIG_INVALID', `agent rlm: the provider "${name}" needs the name of a model`, {
      hint: 'set "model" of the agent, or use --model',
    });
  }
  return {
    name,
    model,
    baseUrl: baseUrl?.replace(/\/+$/, ''),
    key: credential?.value ?? null,
    isBearer: credential?.isBearer === true,
  };
}

/**
 * All of it from the first environment that has any: a gateway's token in the configuration must not give way to the
 * key of the provider itself that the user's shell exports, nor that key go to the gateway.
 */
function credentialOf(
  { keys, bearerKeys = [] }: ProviderFacts,
  environments: readonly (Environment | undefined)[],
): { value: string; isBearer: boolean } | null {
  for (const env of environments) {
    // A key goes before a token: who sets both in one place means the key for the API itself.
    for (const name of [...keys, ...bearerKeys]) {
      const value = env?.[name];
      if (value) return { value, isBearer: bearerKeys.includes(name) };
    }
  }
  return null;
}

/** Throws `AUTH_MISSING`, `CONFIG_INVALID`. */
export function assertRlmCredentials(
  config: RlmAgentConfig,
  environments: readonly (Environment | undefined)[],
): void {
  resolveProvider(config, environments);
}

function byKey(config: RlmAgentConfig, environments: readonly (Environment | undefined)[]): ProviderName {
  const found = environments
    .map((env) => BY_KEY.find((name) => credentialOf(PROVIDERS[name], [env]) !== null))
    .find((name) => name !== undefined);
  if (found !== undefined) return found;
  if (config.baseUrl !== undefined) return 'openai-compatible';
  throw keyMissing('anthropic', PROVIDERS.anthropic, [
    ...(PROVIDERS.anthropic.bearerKeys ?? []),
    ...BY_KEY.slice(1).flatMap((name) => PROVIDERS[name].keys),
  ]);
}

/** Ollama's own variable is a host, its port and scheme where they are not the usual ones, and no path. */
function hostUrl(name: ProviderName, value: string | undefined): string | undefined {
  if (value === undefined || name !== 'ollama') return value;
  const [, scheme, host = '', port] = /^(https?:\/\/)?(\[[^\]]*\]|[^:/]*)(:\d+)?/.exec(value.trim()) ?? [];
  const usualPort = scheme === undefined ? ':11434' : '';
  return `${scheme ?? 'http://'}${host === '' ? '127.0.0.1' : host}${port ?? usualPort}/v1`;
}

function keyMissing(name: ProviderName, facts: ProviderFacts, others?: readonly string[]): WreckitError {
  const [first = '', ...rest] = facts.keys;
  const also = others ?? [...rest, ...(facts.bearerKeys ?? [])];
  return new WreckitError(
    'AUTH_MISSING',
    `agent rlm: it has no key for its model (${name}): ${first} is not set`,
    {
      hint: `export ${first}=…, or put it in "agent.env" of .wreckit/config.local.json${also.length === 0 ? '' : ` (also taken: ${[...new Set(also)].join(', ')})`}`,
      details: { variables: [...new Set([first, ...also])] },
    },
  );
}
