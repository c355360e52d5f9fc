/** The real agents: what their programs need to reach the stub model server. */
import type { ModelServer } from '../../fixtures/model-server/server.ts';
import type { CommandAgentConfig } from '../../src/agent/command-invocation.ts';

export type RealAgentName = 'claude' | 'codex' | 'opencode' | 'amp';

export interface RealAgent {
  readonly config: CommandAgentConfig;
  /** Credentials and settings, as a user would have them in the environment. */
  env(server: ModelServer): Record<string, string>;
  /** Its own names for tools that only read; null: it has no list of allowed tools. */
  readonly readTools: readonly string[] | null;
}

const OPENCODE_MODEL = 'stub/stub-model';

export const REAL_AGENTS: Record<RealAgentName, RealAgent> = {
  claude: {
    config: { kind: 'claude_sdk', model: 'claude-sonnet-4-5' },
    env: ({ url }) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'stub-key',
      CLAUDE_CODE_MAX_RETRIES: '1',
      // As root it works on a host only when told that this is a sandbox.
      IS_SANDBOX: '1',
    }),
    readTools: ['Read', 'Grep'],
  },
  codex: {
    config: { kind: 'codex_sdk', model: 'stub-model' },
    env: ({ url }) => ({ OPENAI_BASE_URL: `${url}/v1`, CODEX_API_KEY: 'stub-key' }),
    readTools: null,
  },
  opencode: {
    config: { kind: 'opencode_sdk' },
    env: ({ url }) => ({
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        model: OPENCODE_MODEL,
        small_model: OPENCODE_MODEL,
        provider: {
          stub: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${url}/v1`, apiKey: 'stub-key' },
            models: { 'stub-model': { name: 'Stub' } },
          },
        },
      }),
    }),
    readTools: ['read', 'grep'],
  },
  amp: {
    config: { kind: 'amp_sdk' },
    env: ({ url }) => ({ AMP_URL: url, AMP_API_KEY: 'sgamp_user_stub' }),
    readTools: ['Read', 'Grep'],
  },
};

/** The agents that scripts/test-agents.mjs has installed. */
export function installedAgents(): RealAgentName[] {
  const names = (process.env.REAL_AGENTS ?? '').split(',').filter((name) => name !== '');
  if (names.length === 0) throw new Error('no agents are installed: run npm run test:agents');
  return names as RealAgentName[];
}

/** A PATH with the agents' programs in front. */
export function agentsPath(): string {
  return `${process.env.REAL_AGENTS_PATH}:${process.env.PATH}`;
}

/** The directory of an agent's program: `…/node_modules/.bin`. */
export function programDir(name: RealAgentName): string {
  const dirs = (process.env.REAL_AGENTS_PATH ?? '').split(':');
  const dir = dirs[installedAgents().indexOf(name)];
  if (dir === undefined) throw new Error(`${name} is not installed: run npm run test:agents`);
  return dir;
}
