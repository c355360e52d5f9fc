/** What a call of `wreckit run` asks for, and what all runs of it have in common. */
import type { ContextDocument } from '../../agent/rlm/context-documents.ts';
import type { RunRecord } from '../../agent/runs/run-record.ts';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { SpriteAgentConfig } from '../../schemas.ts';
import type { LandMode } from '../../sync/land.ts';
import type { WreckitContext } from '../globals.ts';
import { type AgentFlags, type InnerKind, parseAgentKind } from './agent-choice.ts';
import type { RunSetup } from './run-setup.ts';

export type RunFlags = {
  readonly file?: string;
  readonly agent?: InnerKind;
  readonly model?: string;
  /** False under `--no-sandbox`. */
  readonly sandbox?: boolean;
  readonly sprite?: string;
  readonly keep?: boolean;
  readonly land?: LandMode;
  readonly network?: SpriteAgentConfig['network'];
  readonly allow?: string[];
  readonly timeout?: number;
  readonly allowedTools?: string[];
  readonly resume?: string;
  readonly context?: string[];
  readonly mockAgent?: boolean;
  readonly events?: boolean;
  readonly parallel?: number;
};

export type RunContext = WreckitContext<RunFlags, [words: string[]]>;

/** `Read, Bash(git *)`: a comma in parentheses belongs to the tool. Throws `USAGE` for a name that is empty. */
export function toolNames(text: string): string[] {
  const names = text.split(/,(?![^(]*\))/).map((name) => name.trim());
  if (!names.includes('')) return names;
  throw new WreckitError('USAGE', `${quote(text)} has a name that is empty`, {
    hint: 'name the tools as the agent does: --allowed-tools Read,Grep',
  });
}

/** What every run of this call has in common. */
export function runOptions(
  { io, options, signal }: Pick<RunContext, 'io' | 'options' | 'signal'>,
  setup: RunSetup,
  prompt: string,
  material?: readonly ContextDocument[] | undefined,
) {
  const { loaded, config, client, store, lifecycle, softLimits, shownConfig } = setup;
  return {
    config,
    client,
    store,
    lifecycle,
    softLimits,
    shownConfig,
    prompt,
    context: material,
    cwd: loaded.projectRoot,
    branchPrefix: loaded.config.branch_prefix,
    timeoutSeconds: options.timeout === undefined ? loaded.config.timeout_seconds : options.timeout / 1000,
    allowedTools: options.allowedTools,
    mockAgent: options.mockAgent,
    sourceEnv: io.env,
    signal,
  };
}

export async function agentFlags(context: RunContext): Promise<AgentFlags> {
  const { agent, model, sandbox, sprite, keep, land, network, allow, resume } = context.options;
  const flags = { agent, model, sandbox, sprite, keep, land, network, allow };
  return resume === undefined ? flags : { ...flags, ...(await resumed(context, resume, flags)) };
}

/** The agent's memory lies in its home: in the sprite of the earlier run, which must still be there. */
async function resumed(context: RunContext, runId: string, flags: AgentFlags): Promise<Partial<AgentFlags>> {
  const { configOf } = await import('../context.ts');
  const { RunStore } = await import('../../agent/runs/run-record.ts');
  const { projectRoot } = await configOf(context);
  const earlier = new RunStore(projectRoot).read(runId);
  if (earlier.agent_session === null) {
    throw new WreckitError(
      'CONFLICT',
      `resume run ${earlier.id}: its agent (${earlier.agent}) left no session to go on with`,
      { hint: 'start a new run, and say in the prompt what the earlier one has done' },
    );
  }
  if (earlier.sandbox && earlier.sprite?.kept !== true) {
    throw new WreckitError(
      'CONFLICT',
      `resume run ${earlier.id}: its sprite is gone, and the agent's session with it`,
      {
        hint: 'keep the sprite of a run that is to be resumed: wreckit run --keep …',
      },
    );
  }
  const kind = parseAgentKind(earlier.agent);
  refuseOtherPlace(earlier, kind, flags);
  return {
    resume: earlier.agent_session,
    agent: kind,
    ...(earlier.sandbox ? { sprite: earlier.sprite?.name } : {}),
  };
}

/** A session goes on with the agent and in the place it was begun: never on this machine because it once was there. */
function refuseOtherPlace(
  { id, agent, sandbox, sprite }: RunRecord,
  kind: InnerKind,
  flags: AgentFlags,
): void {
  const refusal = (message: string, hint: string) =>
    new WreckitError('USAGE', `resume run ${id}: ${message}`, { hint });
  if (flags.agent !== undefined && flags.agent !== kind)
    throw refusal(`its agent is ${agent}, not ${flags.agent}`, 'leave out --agent, or start a new run');
  const isHere = flags.sandbox === false;
  if (!sandbox && !isHere)
    throw refusal(
      'it worked on this machine, without a sandbox',
      `to let it do so again, say it again: wreckit run --no-sandbox --resume ${id} …`,
    );
  if (sandbox && isHere)
    throw refusal(`its session is in sprite ${sprite?.name}`, 'leave out --no-sandbox, or start a new run');
  if (flags.sprite !== undefined && flags.sprite !== sprite?.name)
    throw refusal(`its session is in sprite ${sprite?.name}, not ${flags.sprite}`, 'leave out --sprite');
}
