/** The sprites token: found wherever it may stand, and taken out of everything an agent gets. */
import type { AgentConfigUnion, SpriteAgentConfig } from '../schemas.ts';
import { type Environment, variableOrigin } from './environment.ts';
import type { KeyPath, Origin } from './layer.ts';

export interface SpritesToken {
  readonly value: string;
  readonly origin: Origin;
}

/** The names it goes by in an environment; the first one wins. */
const TOKEN_VARIABLES = ['SPRITES_TOKEN', 'SPRITE_TOKEN'] as const;

type Variables = Readonly<Record<string, string>> | undefined;

export function tokenOfEnvironment(env: Environment): SpritesToken | null {
  for (const name of TOKEN_VARIABLES) {
    const value = env[name];
    if (value) return { value, origin: variableOrigin(name) };
  }
  return null;
}

/** `agent.token`, else the token among the variables meant for the agent. */
export function tokenOfAgent(
  agent: AgentConfigUnion,
  originOf: (path: KeyPath) => Origin,
): SpritesToken | null {
  if (agent.kind === 'sprite' && agent.token !== undefined)
    return { value: agent.token, origin: originOf(['agent', 'token']) };
  const own = tokenAmong(agent.env, ['agent', 'env'], originOf);
  if (own !== null || agent.kind !== 'sprite') return own;
  return tokenAmong(agent.agent.env, ['agent', 'agent', 'env'], originOf);
}

function tokenAmong(env: Variables, path: KeyPath, originOf: (path: KeyPath) => Origin): SpritesToken | null {
  for (const name of TOKEN_VARIABLES) {
    const value = env?.[name];
    if (value) return { value, origin: originOf([...path, name]) };
  }
  return null;
}

/** The agent without the token, at any depth. */
export function withoutToken(agent: AgentConfigUnion): AgentConfigUnion {
  return agent.kind === 'sprite' ? withoutSpriteToken(agent) : withoutTokenVariables(agent);
}

export function withoutSpriteToken(agent: SpriteAgentConfig): SpriteAgentConfig {
  const { token: _, ...others } = withoutTokenVariables(agent);
  return { ...others, agent: withoutTokenVariables(agent.agent) };
}

function withoutTokenVariables<T extends AgentConfigUnion>(agent: T): T {
  if (agent.env === undefined) return agent;
  const names: readonly string[] = TOKEN_VARIABLES;
  const env = Object.fromEntries(Object.entries(agent.env).filter(([name]) => !names.includes(name)));
  return { ...agent, env };
}
