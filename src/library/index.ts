/**
 * What other programs may import: `import { SpriteRunner } from 'wreckit'` (docs/library.md).
 *
 * Nothing in here, or loaded by it, ends the process, writes to the console, listens to signals or keeps state of
 * its own: streams, environment, working directory and limits are handed in.
 */
export type {
  AgentEvent,
  AgentOutcome,
  AgentResult,
  AgentRunFacts,
  AgentUsage,
} from '../agent/agent-events.ts';
export { eventDocument, resultDocument } from '../agent/agent-events.ts';
export type {
  AgentPlace,
  AgentRunOptions,
  McpServerConfig,
  SpriteRunOptions,
} from '../agent/agent-options.ts';
export { Lifecycle, type RunningThing, type ShutdownReason } from '../agent/lifecycle.ts';
export { type ContextSources, type ReadContext, readContext } from '../agent/read-context.ts';
export type { ContextDocument } from '../agent/rlm/context-documents.ts';
export {
  type AgentTool,
  Budget,
  type BudgetLimits,
  buildToolRegistry,
  hostPlace,
  type JsonSchema,
  SpriteScope,
  type SpriteScopeOptions,
  type SpriteToolOptions,
  spritePlace,
  spriteTools,
  type ToolAnswer,
  type ToolContext,
  type ToolRegistry,
  type ToolRegistryOptions,
  type WorkPlace,
  workTools,
} from '../agent/rlm-tools.ts';
export { runWispCommand } from '../agent/run-wisp-command.ts';
export { runAgentUnion } from '../agent/runner.ts';
export { runSpriteAgent } from '../agent/sprite-agent.ts';
export { SpriteRunner, type SpriteRunnerOptions } from '../agent/sprite-runner.ts';
export type {
  Checkpoint,
  KillSessionOptions,
  LogsOptions,
  SpriteCapture,
  SpriteCaptureOptions,
  SpriteExecOptions,
  SpriteListFilter,
  SpriteStarted,
  SpriteStartSpec,
  WispCallOptions,
  WispClient,
} from '../agent/wisp-client/wisp-client.ts';
export {
  type ErrorOptions,
  errorOf,
  SpriteAttachError,
  SpriteExecError,
  SpriteKillError,
  SpriteStartError,
  SpriteSyncError,
  toWreckitError,
  WispNotFoundError,
  WreckitError,
} from '../errors.ts';
export {
  type AgentConfigUnion,
  AgentConfigUnionSchema,
  type AgentKind,
  type InnerAgentConfig,
  InnerAgentSchema,
  type RlmAgentConfig,
  RlmAgentSchema,
  type SpriteAgentConfig,
  SpriteAgentSchema,
} from '../schemas.ts';
export {
  type CommandLike,
  registerSpriteCommands,
  type SpriteCommandOptions,
} from './register-sprite-commands.ts';
