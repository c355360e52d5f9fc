/** Whether an agent has what it needs to reach its model, known before any sprite is made. */
import { WreckitError } from '../../errors.ts';
import type { InnerAgentConfig } from '../../schemas.ts';
import { assertRlmCredentials } from '../rlm/provider.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Any one of these will do. A kind that is not named here may work without a key of its own. */
const KEYS: Partial<Record<InnerAgentConfig['kind'], readonly string[]>> = {
  claude_sdk: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
  ],
  codex_sdk: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
  amp_sdk: ['AMP_API_KEY'],
};

/** Throws `AUTH_MISSING` naming the variables. */
export function assertCredentials(
  config: InnerAgentConfig,
  environments: readonly (Environment | undefined)[],
): void {
  if (config.kind === 'rlm') {
    assertRlmCredentials(config, environments);
    return;
  }
  const keys = KEYS[config.kind];
  if (keys === undefined || keys.some((key) => environments.some((env) => Boolean(env?.[key])))) return;
  const [first = ''] = keys;
  throw new WreckitError(
    'AUTH_MISSING',
    `agent ${config.kind}: it has no key for its model: ${first} is not set`,
    {
      hint: `export ${first}=…, or put it in "agent.env" of .wreckit/config.local.json (also taken: ${keys.slice(1).join(', ')})`,
      details: { variables: keys },
    },
  );
}
