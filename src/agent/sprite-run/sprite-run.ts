/**
 * One run of an agent in a sprite.
 *
 *   check ─▶ start ─▶ push ─▶ setup ─▶ agent ─▶ collect ─▶ land ─▶ keep or kill
 *     │        └───────────── fails: the sprite is removed, or kept as the configuration says
 *     └ nothing was made                 └ success, failure, timeout, interrupt: the work is collected all the same
 *
 * A request for a sandbox ends in one or fails; nothing here starts an agent on this machine. When collecting
 * fails the sprite is kept and named, whatever the configuration says: its disk is the only copy.
 */
import type { Sprite } from '../../contract/schemas.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import type { InnerAgentConfig, SpriteAgentConfig } from '../../schemas.ts';
import type { ChangeSet } from '../../sync/change-set.ts';
import { isComplete } from '../../sync/change-set.ts';
import type { SpriteHold } from '../../sync/hold-sprite.ts';
import type { LandMode, LandResult } from '../../sync/land.ts';
import type { PushResult } from '../../sync/push.ts';
import type { OnSyncProgress } from '../../sync/sync-progress.ts';
import { DEFAULT_PROJECT_DIR, wispPort } from '../../sync/wisp-port.ts';
import type { AgentResult } from '../agent-events.ts';
import type { AgentPlace, SpriteRunOptions } from '../agent-options.ts';
import { checkContext } from '../check-context.ts';
import { executeInvocation } from '../execute-invocation.ts';
import { spriteNameOf } from '../run-id.ts';
import { startWithinLimit } from '../start-within-limit.ts';
import { enterTree } from '../tree-ledger.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';
import { assertCredentials } from './credentials.ts';
import { holdNamedSprite } from './hold-named-sprite.ts';
import { assertCanBeAsked, innerAgent, invocationInSprite } from './inner-agent.ts';
import { NetworkTrouble } from './network-trouble.ts';
import { runSetup } from './setup.ts';
import { spriteHost } from './sprite-host.ts';
import { askedNetwork, networkFor, startDefaults } from './start-defaults.ts';

export type SpriteRunStep = 'start' | 'push' | 'setup' | 'agent' | 'collect' | 'land' | 'kill';

export interface SpriteRunHooks {
  readonly client: WispClient;
  /** Names the sprite, its owner and the branch. */
  readonly runId: string;
  /** Where the change set goes; see `PullOptions.dir`. */
  readonly changesDir?: string | undefined;
  readonly branch?: string | undefined;
  /** Said before the agent is started, so that none ever works unknown; its step is said once it runs. */
  readonly onAgentBegins?: (() => void) | undefined;
  /** Said before the step begins. */
  readonly onStep?: ((step: SpriteRunStep, facts: Readonly<Record<string, unknown>>) => void) | undefined;
  readonly onProgress?: OnSyncProgress | undefined;
  /** Limits nobody asked for by name are wishes. */
  readonly softLimits?: boolean | undefined;
}

export interface SpriteRunReport {
  readonly result: AgentResult;
  readonly sprite: Sprite;
  readonly isKept: boolean;
  /** Why it is kept; null: it is gone. */
  readonly keptBecause: string | null;
  readonly push: PushResult | null;
  readonly changes: ChangeSet | null;
  readonly landing: LandResult | null;
  /** What went wrong after the agent's end: collecting, landing, removing. */
  readonly faults: readonly WreckitError[];
}

/** Throws what kept the agent from running (`AUTH_MISSING`, `SPRITE_BUSY`, `SPRITE_LIMIT`, `SPRITE_START_FAILED`, `SPRITE_SYNC_FAILED` …). */
export async function runInSprite(options: SpriteRunOptions & SpriteRunHooks): Promise<SpriteRunReport> {
  const { config, runId } = options;
  assertCredentials(innerAgent(config), [
    config.agent.env,
    config.env,
    options.env,
    options.sourceEnv ?? process.env,
  ]);
  checkContext(config, options);
  assertCanBeAsked(options);
  const name = config.vmName ?? spriteNameOf(runId);
  using hold = await holdNamedSprite(options, options.client);
  options.onStep?.('start', { sprite: name });
  using _tree = enterTree(
    { owner: runId, projectRoot: options.cwd, mainSprite: name },
    { env: options.sourceEnv ?? process.env, wispPath: config.wispPath },
  );
  const { sprite, created } = await startSprite(name, options);
  using _entry = options.lifecycle?.add({ name: `sprite ${name}`, phase: 'sprites', stop: () => ended });
  let settle: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  try {
    return await new SpriteRun(options, sprite, created, hold).toTheEnd();
  } finally {
    settle();
  }
}

async function startSprite(
  name: string,
  options: SpriteRunOptions & SpriteRunHooks,
): Promise<{ sprite: Sprite; created: boolean }> {
  const { config, client, runId, signal, sourceEnv = process.env, softLimits } = options;
  const network = askedNetwork(config) ?? networkFor(config.agent);
  const { allow, ...defaults } = startDefaults(config, softLimits);
  const spec = {
    ...defaults,
    network,
    allow: network === 'filtered' ? allow : undefined,
    owner: runId,
    labels: { 'wreckit-run': runId },
  };
  const limit = { maxVMs: config.maxVMs, env: sourceEnv, wispPath: config.wispPath };
  const started = await startWithinLimit(client, limit, name, spec, { signal });
  if (started.sprite.network === network) return started;
  if (started.created) await client.kill([name]);
  throw new WreckitError(
    'POLICY_DENIED',
    `sprite "${name}": its network is "${started.sprite.network}", not "${network}"`,
    {
      hint: 'kill the sprite, or set agent.network to what it has',
    },
  );
}

class SpriteRun {
  readonly #options: SpriteRunOptions & SpriteRunHooks;
  readonly #sprite: Sprite;
  readonly #isNew: boolean;
  readonly #dir: string;
  readonly #hold: SpriteHold | null;
  readonly #faults: WreckitError[] = [];
  /** False once something between the agent's end and the project has failed. */
  #isHome = true;

  constructor(
    options: SpriteRunOptions & SpriteRunHooks,
    sprite: Sprite,
    isNew: boolean,
    hold: SpriteHold | null,
  ) {
    this.#options = options;
    this.#hold = hold;
    this.#sprite = sprite;
    this.#isNew = isNew;
    this.#dir = sprite.workdir === '' ? DEFAULT_PROJECT_DIR : sprite.workdir;
  }

  async toTheEnd(): Promise<SpriteRunReport> {
    let push: PushResult | null;
    try {
      push = await this.#push();
      await this.#setup();
    } catch (error) {
      // Nothing of the agent's is in it.
      if (this.#isDiscardedUnused()) await this.#kill();
      throw error;
    }
    let result: AgentResult;
    try {
      result = await this.#agent();
    } catch (error) {
      const { message, hint } = toWreckitError(error);
      this.#faults.push(toWreckitError(error));
      result = failedResult(message, hint);
    }
    const changes = await this.#guarded('collect', () => this.#collect());
    const landing = changes === null ? null : await this.#guarded('land', () => this.#land(changes, result));
    const keptBecause = this.#keptBecause(result, changes);
    const isKilled = keptBecause === null && (await this.#guarded('kill', () => this.#kill())) !== null;
    return {
      result: this.#faults.length === 0 ? result : withFaults(result, this.#faults),
      sprite: this.#sprite,
      isKept: !isKilled,
      keptBecause: isKilled ? null : (keptBecause ?? 'it could not be removed'),
      push,
      changes,
      landing,
      faults: this.#faults,
    };
  }

  /** Made for an agent that never ran. */
  #isDiscardedUnused(): boolean {
    return this.#isNew && this.#options.config.keep !== 'always';
  }

  async #push(): Promise<PushResult | null> {
    const { config, cwd, signal, onProgress, onStep } = this.#options;
    if (!config.syncEnabled) return null;
    onStep?.('push', { dir: this.#dir });
    const { pushProject } = await import('../../sync/push.ts');
    return await pushProject({
      root: cwd,
      port: this.#port(),
      include: config.include,
      exclude: config.syncExcludePatterns,
      historyDepth: config.historyDepth,
      isFresh: this.#isNew,
      onProgress,
      signal,
    });
  }

  async #setup(): Promise<void> {
    const { client, config, signal, onStep, onStderrChunk } = this.#options;
    if (config.setup.length === 0) return;
    onStep?.('setup', { commands: config.setup.length });
    await runSetup({
      client,
      name: this.#sprite.name,
      dir: this.#dir,
      commands: config.setup,
      isRemovedOnFailure: this.#isDiscardedUnused(),
      onOutput: (chunk) => onStderrChunk?.(Buffer.from(chunk).toString()),
      signal,
    });
  }

  async #agent(): Promise<AgentResult> {
    const { client, config, lifecycle, onStep, runId } = this.#options;
    const { name } = this.#sprite;
    const inner = innerAgent(config);
    const onSession = (sessionId: string): void => {
      this.#hold?.note({ runId, sessionId });
      onStep?.('agent', { session: sessionId });
    };
    if (inner.kind === 'rlm') {
      onStep?.('agent', {});
      const { runRlmAgent } = await import('../rlm-runner.ts');
      return await runRlmAgent({
        ...this.#options,
        config: inner,
        env: { ...config.env, ...this.#options.env },
        place: this.#place(),
      });
    }
    const host = spriteHost({ client, name, dir: this.#dir, lifecycle, onSession });
    const invocation = invocationInSprite(inner, this.#options);
    this.#options.onAgentBegins?.();
    const trouble = new NetworkTrouble(this.#sprite.network);
    const result = await executeInvocation(invocation, host, {
      ...this.#options,
      onAgentEvent: async (event) => {
        await this.#options.onAgentEvent?.(event);
        const advice = trouble.note(event);
        if (advice !== null) await this.#options.onAgentEvent?.(advice);
      },
    });
    if (result.success) return result;
    return { ...result, hint: trouble.hint(result.message) ?? result.hint };
  }

  /** For an agent whose model loop runs here. What it pulls from sprites of its own goes where its work goes. */
  #place(): AgentPlace {
    const { client, config, runId, softLimits, sourceEnv = process.env } = this.#options;
    return {
      client,
      sprite: this.#sprite.name,
      dir: this.#dir,
      owner: runId,
      network: this.#sprite.network,
      pull: config.syncOnSuccess ? config.land : 'none',
      branchPrefix: `${this.#options.branch ?? `wreckit/${runId}`}-`,
      engineLimit: { maxVMs: config.maxVMs, env: sourceEnv, wispPath: config.wispPath },
      keepsSprites: config.keep === 'always',
      startDefaults: startDefaults(config, softLimits),
    };
  }

  async #collect(): Promise<ChangeSet | null> {
    const { config, cwd, changesDir, onProgress, lifecycle, onStep } = this.#options;
    if (!config.syncEnabled) return null;
    onStep?.('collect', {});
    const { pullChanges } = await import('../../sync/pull.ts');
    // Not the run's own signal: an interrupted run's work is collected too; only a second Ctrl+C gives it up.
    return await pullChanges({
      root: cwd,
      port: this.#port(),
      dir: changesDir,
      onProgress,
      signal: lifecycle?.force,
    });
  }

  async #land(changes: ChangeSet, result: AgentResult): Promise<LandResult | null> {
    const { config, runId, branch, prompt, lifecycle, onStep } = this.#options;
    const mode = landMode(config, result);
    if (changes.changes.length === 0) return null;
    onStep?.('land', { mode });
    const { landChanges } = await import('../../sync/land.ts');
    return await landChanges({
      changeSet: changes,
      mode,
      branch: branch ?? `wreckit/${runId}`,
      message: commitMessage(prompt, config.agent, runId, result),
      signal: lifecycle?.force,
    });
  }

  #keptBecause(result: AgentResult, changes: ChangeSet | null): string | null {
    const { config } = this.#options;
    if (!this.#isHome) return 'its work could not be brought back whole';
    if (changes !== null && !isComplete(changes)) return 'some of its files were not taken over';
    if (config.keep === 'always') return 'the configuration says so (keep: always)';
    if (!this.#isNew) return 'it was there before';
    if (config.keep === 'on-failure' && !result.success) return `the agent's outcome is ${result.outcome}`;
    return null;
  }

  async #kill(): Promise<true> {
    const { client, cwd, onStep } = this.#options;
    onStep?.('kill', {});
    await client.kill([this.#sprite.name]);
    const { forgetSprite } = await import('../../sync/forget-sprite.ts');
    await forgetSprite(cwd, this.#sprite.name);
    return true;
  }

  /** After the agent's end: a failure is told, and the rest goes on. */
  async #guarded<T>(step: SpriteRunStep, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      const fault = toWreckitError(error);
      this.#options.logger?.error({ event: 'step_failed', step, code: fault.code }, fault.message);
      this.#faults.push(fault);
      this.#isHome = false;
      return null;
    }
  }

  #port() {
    const { name, id } = this.#sprite;
    return wispPort({ client: this.#options.client, name, id: id === '' ? null : id, dir: this.#dir });
  }
}

/** Only what the agent itself calls done goes into the working tree by itself. */
function landMode({ land, syncOnSuccess }: SpriteAgentConfig, { success }: AgentResult): LandMode {
  if (!syncOnSuccess) return 'none';
  return land === 'apply' && !success ? 'branch' : land;
}

function commitMessage(
  prompt: string,
  agent: InnerAgentConfig,
  runId: string,
  { outcome }: AgentResult,
): string {
  const [first = ''] = prompt.trim().split('\n');
  const subject = first.length <= 72 ? first : `${first.slice(0, 71)}…`;
  return `${subject}\n\nMade by an agent (${agent.kind}, outcome ${outcome}) in run ${runId}\n`;
}

function failedResult(message: string, hint: string): AgentResult {
  return {
    outcome: 'failed',
    success: false,
    output: '',
    timedOut: false,
    completionDetected: false,
    exitCode: null,
    sessionId: null,
    usage: null,
    costUsd: null,
    durationMs: 0,
    message,
    hint,
    question: null,
  };
}

/** A run whose work did not arrive is no success, whatever the agent says. */
function withFaults(result: AgentResult, faults: readonly WreckitError[]): AgentResult {
  const told = faults.map(({ message }) => message).join('; ');
  const [first] = faults;
  // Why the agent failed has advice of its own; that of a fault stands beside the fault.
  if (!result.success && result.message !== null) return result;
  if (!result.success) return { ...result, message: told, hint: first?.hint ?? null };
  return {
    ...result,
    success: false,
    outcome: 'failed',
    message: `the agent is done, but: ${told}`,
    hint: first?.hint ?? null,
  };
}
