/** What every way of running agents begins with: configuration, wisp, records, one shutdown path. */
import { Lifecycle } from '../../agent/lifecycle.ts';
import { RunStore } from '../../agent/runs/run-record.ts';
import type { SpriteRunner } from '../../agent/sprite-runner.ts';
import { redacted } from '../../config/redact.ts';
import type { LoadedConfig } from '../../config.ts';
import type { AgentConfigUnion } from '../../schemas.ts';
import { configOf, spriteRunnerOf } from '../context.ts';
import type { WreckitContext } from '../globals.ts';
import { type AgentFlags, chooseAgent } from './agent-choice.ts';

export interface RunSetup {
  readonly loaded: LoadedConfig;
  readonly config: AgentConfigUnion;
  readonly client: SpriteRunner;
  readonly store: RunStore;
  readonly lifecycle: Lifecycle;
  /** Limits come from the built-in defaults: nobody asked for them. */
  readonly softLimits: boolean;
  /** For the record: what is in force and where each value comes from, without secrets. */
  readonly shownConfig: unknown;
}

export async function prepareRun(
  context: WreckitContext<object, readonly unknown[]>,
  flags: AgentFlags,
): Promise<RunSetup> {
  const loaded = await configOf(context);
  for (const notice of loaded.notices) await context.warn(notice);
  const config = await chooseAgent(loaded.config.agent, loaded.sprite, flags);
  const lifecycle = new Lifecycle();
  context.onForce(async () => {
    lifecycle.hurry();
    await lifecycle.shutdown({ kind: 'done' });
  });
  const isDefault = (key: string) => loaded.spriteOriginOf([key]).kind === 'default';
  const client = await spriteRunnerOf(context, loaded);
  if (needsSprite(config)) client.assertCanRunAgents();
  return {
    loaded,
    config,
    client,
    store: new RunStore(loaded.projectRoot),
    lifecycle,
    softLimits: client.isBundled && isDefault('defaultMemory') && isDefault('defaultCPUs'),
    shownConfig: { agent: redacted(config), origins: originsOf(loaded) },
  };
}

function needsSprite(config: AgentConfigUnion): boolean {
  return config.kind === 'sprite' || (config.kind === 'rlm' && config.sandbox === true);
}

function originsOf(loaded: LoadedConfig): Record<string, string> {
  const keys = Object.keys(loaded.config.agent);
  return Object.fromEntries(
    keys.map((key) => [`agent.${key}`, loaded.labelOf(loaded.originOf(['agent', key]))]),
  );
}
