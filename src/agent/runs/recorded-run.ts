/** Runs an agent and keeps the record of it, step by step, so that a run that is killed can be told and finished. */
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toWreckitError, WreckitError } from '../../errors.ts';
import type { AgentConfigUnion } from '../../schemas.ts';
import { showPath } from '../../sync/byte-path.ts';
import { type ChangeSet, warningsOf } from '../../sync/change-set.ts';
import { type AgentResult, eventDocument } from '../agent-events.ts';
import type { AgentRunOptions } from '../agent-options.ts';
import { contextIndex } from '../rlm/context-documents.ts';
import { newRunId } from '../run-id.ts';
import { runAgentUnion } from '../runner.ts';
import {
  runInSprite,
  type SpriteRunHooks,
  type SpriteRunReport,
  type SpriteRunStep,
} from '../sprite-run/sprite-run.ts';
import { landingSummary } from './landing-summary.ts';
import { hasBegun, newRecord, type RunRecord, type RunSprite, type RunStore } from './run-record.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_TASK = 100;

export interface RecordedRunOptions
  extends AgentRunOptions,
    Pick<SpriteRunHooks, 'client' | 'onProgress' | 'softLimits'> {
  readonly store: RunStore;
  /** `wreckit/`; the run's id is added. */
  readonly branchPrefix: string;
  /** `config.json` of the record: without secrets. */
  readonly shownConfig: unknown;
  readonly onStep?: ((step: SpriteRunStep, facts: Readonly<Record<string, unknown>>) => void) | undefined;
  readonly onBegin?: ((record: RunRecord) => void) | undefined;
}

/** Rejects with what kept the agent from running; the record tells that too. */
export async function recordedRun(options: RecordedRunOptions): Promise<RunRecord> {
  const recorder = new Recorder(options);
  options.onBegin?.(recorder.record);
  try {
    const { config } = options;
    const isInSprite = config.kind === 'sprite' && options.mockAgent !== true;
    const result = isInSprite ? await recorder.inSprite(config) : await recorder.here();
    return recorder.end(result);
  } catch (error) {
    await recorder.fail(error);
    throw error;
  }
}

class Recorder {
  readonly #options: RecordedRunOptions;
  readonly #dir: string;
  record: RunRecord;

  constructor(options: RecordedRunOptions) {
    this.#options = options;
    const { config, store, prompt } = options;
    const id = newRunId();
    this.#dir = store.dirOf(id);
    this.record = newRecord({
      id,
      root: store.root,
      agent: config.kind === 'sprite' ? config.agent.kind : config.kind,
      sandbox: config.kind === 'sprite',
      task: taskOf(prompt),
    });
    store.create(this.record, {
      'prompt.txt': prompt,
      'config.json': `${JSON.stringify(options.shownConfig, null, 2)}\n`,
      ...(options.context === undefined ? {} : { 'context.txt': `${contextIndex(options.context)}\n` }),
    });
  }

  async inSprite(config: Extract<AgentConfigUnion, { kind: 'sprite' }>): Promise<AgentResult> {
    const { id } = this.record;
    const report = await runInSprite({
      ...this.#options,
      ...this.#sinks(),
      config,
      runId: id,
      changesDir: join(this.#dir, 'changes'),
      branch: `${this.#options.branchPrefix}${id}`,
      onAgentBegins: () => this.#update({ step: 'agent' }),
      onStep: (step, facts) => this.#step(step, facts),
    });
    this.#noteReport(report);
    return report.result;
  }

  async here(): Promise<AgentResult> {
    this.#update({ step: 'agent' });
    return await runAgentUnion({ ...this.#options, ...this.#sinks() });
  }

  end(result: AgentResult): RunRecord {
    const { outcome, exitCode, message, hint, question, usage, costUsd, durationMs, sessionId } = result;
    return this.#update({
      step: 'end',
      ended_at: new Date().toISOString(),
      outcome,
      exit_code: exitCode,
      message,
      hint,
      question,
      usage,
      cost_usd: costUsd,
      duration_ms: durationMs,
      agent_session: sessionId,
    });
  }

  /** The agent did not run. */
  async fail(error: unknown): Promise<void> {
    const { code, message, hint } = toWreckitError(error);
    const outcome = this.#options.signal?.aborted ? 'aborted' : 'failed';
    this.#update({
      ended_at: new Date().toISOString(),
      sprite: await this.#spriteLeft(),
      outcome,
      message,
      hint,
      faults: [{ code, message, hint }],
    });
  }

  /** Whether a start that failed left one, the engine knows best. Where it can't be asked, there may be one. */
  async #spriteLeft(): Promise<RunSprite | null> {
    const { client, lifecycle } = this.#options;
    const { sprite } = this.record;
    if (sprite === null) return null;
    try {
      const { id } = await client.info(sprite.name, { signal: lifecycle?.force });
      return { ...sprite, id };
    } catch (error) {
      return toWreckitError(error).code === 'SPRITE_NOT_FOUND' ? { ...sprite, kept: false } : sprite;
    }
  }

  #noteReport({ sprite, isKept, keptBecause, push, changes, landing, faults }: SpriteRunReport): void {
    const warnings = [...(sprite.warnings ?? []), ...(push?.warnings ?? [])];
    this.#update({
      sprite: { name: sprite.name, id: sprite.id, kept: isKept, kept_because: keptBecause },
      ...changeFacts(changes, warnings),
      landing: landing === null ? null : landingSummary(landing),
      faults: faults.map(({ code, message, hint }) => ({ code, message, hint })),
    });
  }

  #step(step: SpriteRunStep, facts: Readonly<Record<string, unknown>>): void {
    const sprite =
      typeof facts.sprite === 'string'
        ? { name: facts.sprite, id: '', kept: true, kept_because: null }
        : null;
    // A sprite in which no agent ran is removed at once; what it failed at tells more.
    const isUnused = step === 'kill' && !hasBegun(this.record);
    this.#update({
      ...(isUnused ? {} : { step }),
      ...(sprite === null ? {} : { sprite }),
      ...(typeof facts.session === 'string' ? { session: facts.session } : {}),
    });
    this.#options.onStep?.(step, facts);
  }

  #update(facts: Partial<RunRecord>): RunRecord {
    this.record = this.#options.store.write({ ...this.record, ...facts });
    return this.record;
  }

  /** What the agent says goes to the record's files first, then to whoever else listens. */
  #sinks(): Pick<AgentRunOptions, 'onStdoutChunk' | 'onStderrChunk' | 'onAgentEvent'> {
    const { onStdoutChunk, onStderrChunk, onAgentEvent } = this.#options;
    const output = new CappedFile(join(this.#dir, 'output.log'));
    const stderr = new CappedFile(join(this.#dir, 'stderr.log'));
    const events = new CappedFile(join(this.#dir, 'events.ndjson'));
    return {
      onStdoutChunk: (text) => {
        output.append(text);
        return onStdoutChunk?.(text);
      },
      onStderrChunk: (text) => {
        stderr.append(text);
        return onStderrChunk?.(text);
      },
      onAgentEvent: (event) => {
        events.append(`${JSON.stringify({ time: new Date().toISOString(), ...eventDocument(event) })}\n`);
        return onAgentEvent?.(event);
      },
    };
  }
}

/** `warnings`: those there are already. */
export function changeFacts(
  changes: ChangeSet | null,
  warnings: readonly string[],
): Pick<RunRecord, 'changed_files' | 'left_in_sprite' | 'ignored_files' | 'warnings'> {
  return {
    ignored_files: changes?.ignoredCount ?? 0,
    warnings: [...new Set([...warnings, ...(changes === null ? [] : warningsOf(changes))])],
    changed_files: changes?.changes.length ?? null,
    left_in_sprite: (changes?.rejected ?? []).map(({ path, reason }) => ({ path: showPath(path), reason })),
  };
}

function taskOf(prompt: string): string {
  const [first = ''] = prompt.trim().split('\n');
  return first.length <= MAX_TASK ? first : `${first.slice(0, MAX_TASK - 1)}…`;
}

/** A log that says where it was cut. */
class CappedFile {
  readonly #path: string;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  append(text: string): void {
    if (this.#size > MAX_OUTPUT_BYTES) return;
    this.#size += Buffer.byteLength(text);
    const isFull = this.#size > MAX_OUTPUT_BYTES;
    appendFileSync(this.#path, isFull ? '\n[wreckit: the rest was not kept]\n' : text, { mode: 0o600 });
  }
}

/** Size of one of a record's files; 0 where there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Throws `CONFLICT` for a run that is still under way. */
export function assertNotRunning(record: RunRecord, isRunning: boolean): void {
  if (!isRunning) return;
  throw new WreckitError(
    'CONFLICT',
    `run ${record.id}: it is still running (process ${record.process?.pid ?? 'unknown'})`,
    {
      hint: 'wait for it, or interrupt it with Ctrl+C',
    },
  );
}
