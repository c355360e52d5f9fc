/** The kind `sprite`: another agent, inside a sprite. See sprite-run/sprite-run.ts for what a run does. */
import type { AgentResult } from './agent-events.ts';
import type { SpriteRunOptions } from './agent-options.ts';
import { newRunId } from './run-id.ts';
import { runInSprite } from './sprite-run/sprite-run.ts';
import { SpriteRunner } from './sprite-runner.ts';

/**
 * Rejects with what kept the agent from running; once it ran, the result says how it ended, and is no success
 * when its work could not be brought back. Land and keep are those of the config.
 */
export async function runSpriteAgent(options: SpriteRunOptions): Promise<AgentResult> {
  const { config, sourceEnv = process.env } = options;
  const client = new SpriteRunner({
    wispPath: config.wispPath,
    wispPathBase: options.cwd,
    env: sourceEnv,
    token: config.token,
    timeoutMs: config.timeout * 1000,
  });
  client.assertCanRunAgents();
  const { result } = await runInSprite({ ...options, client, runId: newRunId(), softLimits: true });
  return result;
}
