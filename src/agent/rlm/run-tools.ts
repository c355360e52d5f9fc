/** The tools of one run, what the model is told about them, and what becomes of the sprites they made. */
import { toWreckitError } from '../../errors.ts';
import { packageVersion } from '../../package-root.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { AgentResult } from '../agent-events.ts';
import type { RlmRunOptions } from '../agent-options.ts';
import type { McpClientTools } from '../mcp/client-tools.ts';
import { buildToolRegistry, type ToolRegistry } from '../rlm-tools.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';
import { agentTools } from './agent-tools.ts';
import type { Budget } from './budget.ts';
import type { InterpreterPlace } from './interpreter/code-language.ts';
import { leftoverText, PulledWork, saveLeftovers } from './leftover-work.ts';
import type { LoopMode } from './loop-mode.ts';
import type { ProjectAccess } from './project-access.ts';
import { SpriteScope } from './sprite-scope.ts';
import { hostPlace, spritePlace, type WorkPlace } from './work-place.ts';

export interface RunToolsOptions extends Omit<RlmRunOptions, 'signal' | 'budget'> {
  readonly budget: Budget;
  readonly client: WispClient;
  readonly owner: string;
  readonly ttl: string;
  /** For children of the same kind. */
  readonly runRlm: (options: RlmRunOptions) => Promise<AgentResult>;
  readonly signal: AbortSignal;
  readonly mode: LoopMode;
}

export interface RunTools extends AsyncDisposable {
  readonly registry: ToolRegistry;
  readonly system: string;
  /** Where the model's code runs: in the agent's own sprite, else in one made for that. */
  interpreterPlace(): Promise<InterpreterPlace>;
  /** Resolves with what could not be cleaned up, for people. */
  cleanUp(): Promise<string[]>;
}

/** Throws `USAGE` for a tool there is not. */
export async function toolsOf(options: RunToolsOptions): Promise<RunTools> {
  const { config, place, cwd, budget, client, owner, ttl, sourceEnv = process.env } = options;
  const scope = new SpriteScope({
    client,
    owner,
    budget,
    ownSprite: place?.sprite,
    engineLimit: place?.engineLimit,
    maxNetwork: place?.network,
    projectRoot: cwd,
    startDefaults: {
      ...place?.startDefaults,
      ...(place?.keepsSprites === true ? {} : { ttl }),
      ...(place?.network === undefined ? {} : { network: place.network }),
    },
  });
  const project = projectOf(options);
  const work: WorkPlace =
    place === undefined
      ? hostPlace({ root: cwd, sourceEnv, env: { ...config.env, ...options.env } }, budget)
      : spritePlace(place, budget);
  const servers = await serversOf(options);
  try {
    return runTools(options, { scope, project, work, servers });
  } catch (error) {
    await servers?.[Symbol.asyncDispose]();
    throw error;
  }
}

interface Parts {
  readonly scope: SpriteScope;
  readonly project: ProjectAccess;
  readonly work: WorkPlace;
  readonly servers: McpClientTools | null;
}

function runTools(options: RunToolsOptions, { scope, project, work, servers }: Parts): RunTools {
  const { config, place } = options;
  const registry = buildToolRegistry(options.allowedTools ?? config.tools, {
    place: work,
    sprites: { scope, project },
    more: [
      ...agentTools({ scope, project, parent: options, runRlm: options.runRlm }),
      ...(servers?.tools ?? []),
    ],
  });
  let cleaned: Promise<string[]> | null = null;
  const cleanUpOnce = (): Promise<string[]> => {
    cleaned ??= cleanUp(scope, project, options);
    return cleaned;
  };
  return {
    registry,
    system: systemPrompt(work, place?.sprite, registry, options.mode),
    interpreterPlace: async () => place ?? (await placeForCode(scope, options.signal)),
    cleanUp: cleanUpOnce,
    // The last resort of a run that broke: the sprites have a ttl all the same.
    [Symbol.asyncDispose]: async () => {
      await cleanUpOnce();
      await servers?.[Symbol.asyncDispose]();
    },
  };
}

async function serversOf(options: RunToolsOptions): Promise<McpClientTools | null> {
  const { mcpServers: servers = {}, cwd, sourceEnv = process.env, signal } = options;
  if (Object.keys(servers).length === 0) return null;
  const { mcpClientTools } = await import('../mcp/client-tools.ts');
  return await mcpClientTools({ servers, version: packageVersion(), cwd, sourceEnv, signal });
}

/** Into its own copy the project was put by the run; children get it from the project itself. */
function projectOf({ place, cwd }: RunToolsOptions): ProjectAccess {
  const pulled = new PulledWork();
  if (place === undefined) return { root: cwd, pull: 'apply', pulled };
  return { root: cwd, pull: place.pull ?? 'none', branchPrefix: place.branchPrefix, pulled };
}

/** The user wants no sandbox for the tools; code that nobody has seen gets one all the same. */
async function placeForCode(scope: SpriteScope, signal: AbortSignal): Promise<InterpreterPlace> {
  const { name, workdir } = await scope.spawn(undefined, { network: 'none', softLimits: true }, { signal });
  return { client: scope.client, sprite: name, dir: workdir === '' ? DEFAULT_PROJECT_DIR : workdir };
}

/** The first agent of the tree removes what all of them have left, once the work in it is saved. */
async function cleanUp(
  scope: SpriteScope,
  { root, pulled }: ProjectAccess,
  { place, logger, lifecycle, depth = 0 }: RunToolsOptions,
): Promise<string[]> {
  await scope.settled();
  if (place?.keepsSprites === true || depth > 0 || !scope.budget.hasReserved) return [];
  try {
    // Not the run's own signal: an interrupted run's work is saved too.
    const call = { signal: lifecycle?.force };
    const { owner } = scope.options;
    const sprites = await scope.made(call);
    const left = await saveLeftovers({ client: scope.client, root, owner, sprites, pulled, ...call });
    const kept = left.flatMap(({ sprite, keptBecause }) => (keptBecause === null ? [] : [sprite]));
    const killed = await scope.killAll(call, new Set(kept));
    if (killed.length > 0)
      logger?.info({ event: 'sprites_killed', sprites: killed }, 'removed the sprites it left');
    return left.map(leftoverText).filter((text) => text !== null);
  } catch (error) {
    const { message } = toWreckitError(error);
    return [`sprites of this run could not be removed: ${message}; they are removed by wreckit sprite gc`];
  }
}

function systemPrompt(
  { label, dir }: WorkPlace,
  sprite: string | undefined,
  registry: ToolRegistry,
  mode: LoopMode,
): string {
  const lines = [
    'You are an agent that does the task the user gives you, by itself: nobody answers questions while you work.',
    `Your file and shell tools work in ${label}; the project is at ${dir}.`,
  ];
  if (registry.has('spawn_sprite')) {
    lines.push(
      'You can start further sandboxes ("sprites") with spawn_sprite, run commands in them with exec_in_sprite, and must kill those you no longer need with kill_sprite.',
    );
    if (sprite !== undefined)
      lines.push(`You work in the sprite "${sprite}" yourself; fork_sprite makes a copy of it.`);
  }
  lines.push(
    'Look before you change, and check your work by running it. A tool that fails answers with an error and a hint: read it.',
  );
  if (mode === 'chat')
    lines.push(
      'When the task is done, or cannot be done, say so in a short final answer without calling a tool.',
    );
  else
    lines.push(
      'Tools are functions of your code and return objects; a failed one returns {error: {code, message, hint}}.',
    );
  return lines.join('\n');
}
