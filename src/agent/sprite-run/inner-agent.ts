/** The agent in the sprite: its settings, and whether it can do what is asked of it, known before any sprite is made. */
import type { InnerAgentConfig, SpriteAgentConfig } from '../../schemas.ts';
import type { SpriteRunOptions } from '../agent-options.ts';
import { type CommandAgentConfig, commandInvocation } from '../command-invocation.ts';
import type { AgentInvocation } from '../invocation.ts';

/** The sprite's own `model` and `max_tokens` are those of the agent in it, where it says nothing itself. */
export function innerAgent({ agent, model, max_tokens }: SpriteAgentConfig): InnerAgentConfig {
  if (agent.kind === 'process') return agent;
  const withModel = agent.model === undefined && model !== undefined ? { ...agent, model } : agent;
  const takesTokens = withModel.kind === 'claude_sdk' || withModel.kind === 'rlm';
  if (!takesTokens || withModel.max_tokens !== undefined || max_tokens === undefined) return withModel;
  return { ...withModel, max_tokens };
}

/** Its command in the sprite. Throws `UNSUPPORTED` for an option that the kind can't honour. */
export function invocationInSprite(agent: CommandAgentConfig, options: SpriteRunOptions): AgentInvocation {
  const env = { ...options.config.env, ...options.env };
  return commandInvocation(agent, { ...options, env, isSandbox: true });
}

/** Throws as `invocationInSprite`; an agent without a command is asked when it begins. */
export function assertCanBeAsked(options: SpriteRunOptions): void {
  const inner = innerAgent(options.config);
  if (inner.kind !== 'rlm') invocationInSprite(inner, options);
}
