/** A tool that starts another agent in a sprite: the tree grows, its budget does not. */
import { z } from 'zod';
import type { Sprite } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import type { InnerAgentConfig, RlmAgentConfig } from '../../schemas.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { AgentResult } from '../agent-events.ts';
import type { RlmRunOptions } from '../agent-options.ts';
import { capText } from './cap-text.ts';
import { diffOf, type ProjectAccess, spawnWithProject } from './project-access.ts';
import type { SpriteScope } from './sprite-scope.ts';
import { type AgentTool, defineTool } from './tool.ts';

export interface AgentToolOptions {
  readonly scope: SpriteScope;
  readonly project: ProjectAccess;
  /** Of the agent that gets the tool: credentials, environment, depth and the configuration a child rlm agent has. */
  readonly parent: Omit<RlmRunOptions, 'signal'>;
  readonly runRlm: (options: RlmRunOptions) => Promise<AgentResult>;
}

const KINDS = ['rlm', 'claude_sdk', 'codex_sdk', 'opencode_sdk', 'amp_sdk'] as const;
const MAX_OUTPUT_CHARS = 16_384;
const MAX_DIFF_CHARS = 32_768;
const DEFAULT_SECONDS = 1800;

export function agentTools(options: AgentToolOptions): AgentTool[] {
  return [
    defineTool({
      name: 'run_agent_in_sprite',
      description:
        'Give a task to another agent, which works in a sprite of its own with a copy of the project (or in the sprite named), and wait for it. Its outcome, last words and diff come back; the sprite stays until you kill it.',
      input: z.strictObject({
        sprite: z.string().optional().describe('one of your sprites; a new one with the project when absent'),
        agent: z.enum(KINDS).describe('which kind of agent'),
        prompt: z.string().min(1).describe('the task, with all it has to know'),
        timeout_s: z.number().positive().max(86_400).optional().describe(`${DEFAULT_SECONDS} when absent`),
      }),
      async run({ sprite: wanted, agent, prompt, timeout_s = DEFAULT_SECONDS }, { signal }) {
        const { scope, project, parent } = options;
        const depth = (parent.depth ?? 0) + 1;
        scope.budget.assertDepth(depth);
        const config = await childConfig(agent, parent.config);
        const { assertCredentials } = await import('../sprite-run/credentials.ts');
        const environments = [parent.env, parent.config.env, parent.sourceEnv ?? process.env];
        assertCredentials(config, environments);
        const sprite =
          wanted === undefined
            ? await newSprite(options, agent, signal)
            : await scope.sprite(wanted, { signal });
        if (sprite.name === scope.options.ownSprite) throw inTheWay(sprite.name);
        const left = (scope.budget.leftMs ?? Number.POSITIVE_INFINITY) / 1000;
        const child = { ...parent, prompt, depth, timeoutSeconds: Math.min(timeout_s, left), signal };
        const result = await runChild(config, sprite, child, options);
        const diff = await diffOf(project, scope.client, sprite, signal).catch(() => null);
        return answer(sprite.name, result, diff);
      },
    }),
  ];
}

async function childConfig(kind: (typeof KINDS)[number], parent: RlmAgentConfig): Promise<InnerAgentConfig> {
  // A child gets a task, not its parent's material: its mode goes by that.
  const { sandbox: _sandbox, tools: _tools, mode: _mode, ...same } = parent;
  if (kind === 'rlm') return same;
  const { InnerAgentSchema } = await import('../../schemas.ts');
  return InnerAgentSchema.parse({ kind, ...(parent.env === undefined ? {} : { env: parent.env }) });
}

/** An agent that asks its model from inside needs the network for that. */
async function newSprite(
  { scope, project }: AgentToolOptions,
  agent: string,
  signal: AbortSignal,
): Promise<Sprite> {
  const spec = agent === 'rlm' ? {} : { network: 'filtered' as const };
  return (await spawnWithProject(project, scope, undefined, spec, signal)).sprite;
}

type ChildOptions = Omit<RlmRunOptions, 'config'>;

async function runChild(
  config: InnerAgentConfig,
  { name, workdir, network }: Sprite,
  options: ChildOptions,
  { scope, runRlm }: AgentToolOptions,
): Promise<AgentResult> {
  const { client, budget } = scope;
  const { owner, engineLimit, startDefaults } = scope.options;
  const dir = workdir === '' ? DEFAULT_PROJECT_DIR : workdir;
  // What a child says is for its parent; the tools it may use are its own kind's.
  const {
    onAgentEvent: _event,
    onStdoutChunk: _out,
    onStderrChunk: _err,
    allowedTools: _allowed,
    context: _context,
    ...rest
  } = options;
  if (config.kind === 'rlm') {
    return await runRlm({
      ...rest,
      config,
      budget,
      place: { client, sprite: name, dir, owner, network, engineLimit, startDefaults },
    });
  }
  const { commandInvocation } = await import('../command-invocation.ts');
  const { executeInvocation } = await import('../execute-invocation.ts');
  const { spriteHost } = await import('../sprite-run/sprite-host.ts');
  using _slot = budget.takeExec();
  const host = spriteHost({ client, name, dir, lifecycle: options.lifecycle });
  const result = await executeInvocation(commandInvocation(config, { ...rest, isSandbox: true }), host, rest);
  if (result.usage !== null) budget.addUsage(result.usage, result.costUsd);
  return result;
}

function answer(sprite: string, result: AgentResult, diff: string | null): Record<string, unknown> {
  const { outcome, message, question, output, usage, durationMs } = result;
  return {
    sprite,
    outcome,
    ...(message === null ? {} : { message }),
    ...(question === null ? {} : { question }),
    output: capText(output, MAX_OUTPUT_CHARS).text,
    diff: diff === null ? null : capText(diff, MAX_DIFF_CHARS).text,
    total_tokens: usage === null ? null : usage.inputTokens + usage.outputTokens,
    duration_ms: durationMs,
  };
}

function inTheWay(name: string): WreckitError {
  return new WreckitError('POLICY_DENIED', `run an agent in sprite "${name}": you work in it yourself`, {
    hint: 'leave sprite out for a new one, or make a copy with fork_sprite',
  });
}
