/** Which agent runs where: the configuration, with what the flags say over it. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { AgentConfigUnion, InnerAgentConfig, SpriteAgentConfig } from '../../schemas.ts';
import type { LandMode } from '../../sync/land.ts';

const AGENT_KINDS = ['process', 'claude_sdk', 'amp_sdk', 'codex_sdk', 'opencode_sdk', 'rlm'] as const;
export type InnerKind = (typeof AGENT_KINDS)[number];

/** What people call them. */
const ALIASES: Readonly<Record<string, InnerKind>> = {
  claude: 'claude_sdk',
  amp: 'amp_sdk',
  codex: 'codex_sdk',
  opencode: 'opencode_sdk',
};

export interface AgentFlags {
  readonly agent?: InnerKind | undefined;
  readonly model?: string | undefined;
  /** False under `--no-sandbox`. */
  readonly sandbox?: boolean | undefined;
  readonly sprite?: string | undefined;
  readonly keep?: boolean | undefined;
  readonly land?: LandMode | undefined;
  readonly network?: SpriteAgentConfig['network'];
  readonly allow?: readonly string[] | undefined;
  /** The agent's own session to go on with. */
  readonly resume?: string | undefined;
}

/** For a flag. Throws `USAGE`. */
export function parseAgentKind(text: string): InnerKind {
  const kind = ALIASES[text] ?? AGENT_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new WreckitError('USAGE', `agent: ${quote(text)} is not a kind of agent`, {
    hint: `kinds are: ${[...AGENT_KINDS, ...Object.keys(ALIASES)].join(', ')}`,
  });
}

/**
 * In a sprite, whatever kind is configured, unless `--no-sandbox` says otherwise in so many words.
 * Throws `USAGE` for flags that contradict each other or the configuration.
 */
export async function chooseAgent(
  configured: AgentConfigUnion,
  settings: SpriteAgentConfig,
  flags: AgentFlags,
): Promise<AgentConfigUnion> {
  const inner = withFlags(await innerAgent(configured, flags.agent), flags);
  if (flags.sandbox === false) {
    refuseSpriteFlags(flags);
    return inner.kind === 'rlm' ? { ...inner, sandbox: false } : inner;
  }
  return {
    ...(isOtherKind(configured, inner) ? withoutModel(settings) : settings),
    agent: inner,
    ...(flags.sprite === undefined ? {} : { vmName: flags.sprite }),
    ...(flags.keep ? { keep: 'always' as const } : {}),
    ...(flags.land === undefined ? {} : { land: flags.land }),
    ...networkOf(flags, settings),
  };
}

function isOtherKind(configured: AgentConfigUnion, inner: InnerAgentConfig): boolean {
  return configured.kind === 'sprite' && configured.agent.kind !== inner.kind;
}

/** They are those of the agent that is configured: another one knows no such model. */
function withoutModel(settings: SpriteAgentConfig): SpriteAgentConfig {
  const { model: _model, max_tokens: _tokens, ...others } = settings;
  return others;
}

async function innerAgent(
  configured: AgentConfigUnion,
  kind: InnerKind | undefined,
): Promise<InnerAgentConfig> {
  const inner = configured.kind === 'sprite' ? configured.agent : configured;
  if (kind === undefined || inner.kind === kind) return inner;
  if (kind === 'process') {
    throw new WreckitError('USAGE', 'agent process: the configuration names no command for it', {
      hint: 'set "agent": {"kind": "process", "command": "…", "args": […]} in .wreckit/config.json',
    });
  }
  const { InnerAgentSchema } = await import('../../schemas.ts');
  return InnerAgentSchema.parse({ kind, ...(inner.env === undefined ? {} : { env: inner.env }) });
}

function withFlags(agent: InnerAgentConfig, { model, resume }: AgentFlags): InnerAgentConfig {
  if (agent.kind === 'process') {
    if (model === undefined && resume === undefined) return agent;
    throw new WreckitError(
      'USAGE',
      `agent process: it takes no ${model === undefined ? '--resume' : '--model'}`,
    );
  }
  const withModel = model === undefined ? agent : { ...agent, model };
  if (resume === undefined) return withModel;
  if (withModel.kind === 'rlm') throw new WreckitError('USAGE', 'agent rlm: its runs cannot be resumed');
  return { ...withModel, resume };
}

function networkOf({ network, allow }: AgentFlags, settings: SpriteAgentConfig): Partial<SpriteAgentConfig> {
  if (allow !== undefined && network !== undefined && network !== 'filtered') {
    throw new WreckitError('USAGE', `network: --allow needs network "filtered", not ${quote(network)}`);
  }
  if (allow !== undefined) return { network: 'filtered', allow: [...settings.allow, ...allow] };
  if (network === undefined) return {};
  return { network, allow: network === 'filtered' ? settings.allow : [] };
}

function refuseSpriteFlags({ sprite, keep, land, network, allow }: AgentFlags): void {
  const given = Object.entries({ sprite, keep, land, network, allow }).filter(
    ([, value]) => value !== undefined,
  );
  const [first] = given;
  if (first === undefined) return;
  throw new WreckitError('USAGE', `run: --no-sandbox and --${first[0]} contradict each other`, {
    hint: 'without a sandbox the agent works in the project itself: leave one of the two out',
  });
}
