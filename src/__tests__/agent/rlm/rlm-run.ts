/** One run of an rlm agent against the stub model server: `await ran(kit, scenario)`. */
import {
  type ModelServer,
  type Scenario,
  startModelServer,
} from '../../../../fixtures/model-server/server.ts';
import type { AgentEvent, AgentResult } from '../../../agent/agent-events.ts';
import type { RlmRunOptions } from '../../../agent/agent-options.ts';
import { runAgentUnion } from '../../../agent/runner.ts';
import type { RlmAgentConfig } from '../../../schemas.ts';
import type { ToolKit } from './tool-kit.ts';

export type Wire = 'anthropic' | 'openai';

export interface Ran {
  readonly result: AgentResult;
  readonly events: AgentEvent[];
  readonly server: ModelServer;
}

export interface RunExtras extends Partial<Omit<RlmRunOptions, 'config'>> {
  readonly config?: Partial<RlmAgentConfig>;
  readonly wire?: Wire;
}

/** In the project itself, unless `config.sandbox` says otherwise. */
export async function ran(kit: ToolKit, scenario: Scenario, extras: RunExtras = {}): Promise<Ran> {
  await using server = await startModelServer(scenario);
  const { config, wire = 'anthropic', ...more } = extras;
  const events: AgentEvent[] = [];
  const keys =
    wire === 'anthropic'
      ? { ANTHROPIC_API_KEY: 'sk-test-key-123456', ANTHROPIC_BASE_URL: server.url }
      : { OPENAI_API_KEY: 'sk-test-key-123456', OPENAI_BASE_URL: server.url };
  const result = await runAgentUnion({
    config: { kind: 'rlm', maxIterations: 30, sandbox: false, ...config },
    cwd: kit.project,
    prompt: 'do it',
    sourceEnv: { ...kit.env, ...keys },
    onAgentEvent: (event) => void events.push(event),
    ...more,
  });
  return { result, events, server };
}
