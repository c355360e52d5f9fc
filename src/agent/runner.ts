/** Runs an agent of whatever kind: the one entry for commands, tools and other programs. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import type { RlmAgentConfig } from '../schemas.ts';
import type { AgentResult, AgentRunFacts } from './agent-events.ts';
import type { AgentRunOptions } from './agent-options.ts';
import { checkContext } from './check-context.ts';
import { type CommandAgentConfig, commandInvocation, refuseKind } from './command-invocation.ts';
import { describeRun } from './describe-run.ts';
import { executeInvocation } from './execute-invocation.ts';
import { machineHost } from './machine-host.ts';
import { assertCanBeAsked } from './sprite-run/inner-agent.ts';

/**
 * Runs the agent to its end. The result says how that was; rejects with `USAGE` for options that make no
 * sense, `UNSUPPORTED` for one that this kind can't honour, and with what a callback threw. Never runs an
 * agent outside of the sprite that its config asks for.
 */
export async function runAgentUnion(options: AgentRunOptions): Promise<AgentResult> {
  checkOptions(options);
  const { config, logger } = options;
  const startedAt = performance.now();
  const result = await dispatch(options);
  logger?.info(
    {
      event: 'agent_run',
      kind: config.kind,
      outcome: result.outcome,
      duration_ms: Math.round(performance.now() - startedAt),
      exit_code: result.exitCode,
      session_id: result.sessionId,
      item_id: options.itemId,
    },
    result.message ?? 'the agent is done',
  );
  return result;
}

async function dispatch(options: AgentRunOptions): Promise<AgentResult> {
  const { config } = options;
  if (options.dryRun === true || options.mockAgent === true) return await pretend(options);
  switch (config.kind) {
    case 'process':
    case 'claude_sdk':
    case 'codex_sdk':
    case 'opencode_sdk':
    case 'amp_sdk':
      return await runCommandAgent(config, options);
    case 'rlm': {
      if (options.place === undefined && config.sandbox !== false) return await rlmInSprite(config, options);
      const { runRlmAgent } = await import('./rlm-runner.ts');
      return await runRlmAgent({ ...options, config });
    }
    case 'sprite': {
      const { runSpriteAgent } = await import('./sprite-agent.ts');
      return await runSpriteAgent({ ...options, config });
    }
    default:
      return refuseKind(config);
  }
}

/** Its tools are in a sprite unless the user says otherwise in so many words. */
async function rlmInSprite(config: RlmAgentConfig, options: AgentRunOptions): Promise<AgentResult> {
  const { SpriteAgentSchema } = await import('../schemas.ts');
  const { runSpriteAgent } = await import('./sprite-agent.ts');
  const { wispPath } = config;
  const wrapped = SpriteAgentSchema.parse({
    kind: 'sprite',
    ...(wispPath === undefined ? {} : { wispPath }),
  });
  return await runSpriteAgent({ ...options, config: { ...wrapped, agent: config } });
}

async function runCommandAgent(config: CommandAgentConfig, options: AgentRunOptions): Promise<AgentResult> {
  const { cwd, lifecycle, sourceEnv } = options;
  const host = options.host ?? machineHost({ cwd, lifecycle, sourceEnv });
  const invocation = commandInvocation(config, { ...options, isSandbox: host.isSandbox });
  return await executeInvocation(invocation, host, options);
}

function checkOptions(options: AgentRunOptions): void {
  const { config, prompt, timeoutSeconds, itemId } = options;
  if (prompt.trim() === '') throw new WreckitError('USAGE', 'run an agent: the prompt is empty');
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0))
    throw new WreckitError(
      'USAGE',
      `run an agent: the timeout ${quote(timeoutSeconds)} is not above 0 seconds`,
    );
  if (itemId?.includes('\0'))
    throw new WreckitError('USAGE', 'run an agent: the item id has a NUL character in it');
  checkContext(config, options);
}

/** Says what would happen; for `mockAgent` as an agent would, so that what comes after it can be tried. */
async function pretend(options: AgentRunOptions): Promise<AgentResult> {
  const { config, onStdoutChunk, onAgentEvent, mockAgent = false } = options;
  const isCommand = config.kind !== 'rlm' && config.kind !== 'sprite';
  // Refused now what the run itself would refuse.
  const invocation = isCommand ? commandInvocation(config, { ...options, isSandbox: false }) : null;
  if (config.kind === 'sprite') assertCanBeAsked({ ...options, config });
  const output = `would ${describeRun(options, invocation)}\n`;
  await onStdoutChunk?.(output);
  await onAgentEvent?.({ type: 'assistant_text', text: output });
  const facts = mockAgent ? { ...NOTHING_DONE, message: 'nothing was started (mock agent)' } : NOTHING_DONE;
  await onAgentEvent?.({ type: 'run_result', ...facts });
  return { ...facts, output, timedOut: false, completionDetected: mockAgent };
}

const NOTHING_DONE: AgentRunFacts = {
  outcome: 'completed',
  success: true,
  exitCode: 0,
  sessionId: null,
  usage: null,
  costUsd: null,
  durationMs: 0,
  message: null,
  hint: null,
  question: null,
};
