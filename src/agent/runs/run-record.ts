/**
 * What is known of a run, on disk as it happens, in the project:
 *
 *   .wreckit/runs/<id>/   run.json (this record)    prompt.txt      config.json (in force, secrets redacted)
 *                         events.ndjson             output.log      stderr.log      changes/ (see change-set.ts)
 *
 * `run.json` says what was last begun; whether that still goes on, the process named in it tells. So the record
 * of a run that was killed is as true as any other.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject } from '../../contract/json-value.ts';
import { quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../process/identity.ts';
import { writeDurably } from '../../sync/durable.ts';
import { makeStateDirectory } from '../../sync/sync-dir.ts';
import type { AgentOutcome, AgentUsage } from '../agent-events.ts';
import { isRunId, spriteNameOf } from '../run-id.ts';
import type { LandingSummary } from './landing-summary.ts';

const RECORD_VERSION = 1;

export interface RunSprite {
  readonly name: string;
  readonly id: string;
  readonly kept: boolean;
  readonly kept_because: string | null;
}

export interface RunFault {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** A document: field names as in JSON. */
export interface RunRecord {
  readonly version: typeof RECORD_VERSION;
  readonly id: string;
  /** The project. */
  readonly root: string;
  readonly created_at: string;
  /** null: it has not ended, or was killed. */
  readonly ended_at: string | null;
  readonly process: ProcessIdentity | null;
  /** Kind of the agent itself, inside the sprite where there is one. */
  readonly agent: string;
  readonly sandbox: boolean;
  /** The first line, shortened. */
  readonly task: string;
  /** What was last begun. */
  readonly step: string;
  readonly sprite: RunSprite | null;
  /** Of the agent's program in the sprite. */
  readonly session: string | null;
  /** Of the agent itself: to resume with. */
  readonly agent_session: string | null;
  readonly outcome: AgentOutcome | null;
  readonly exit_code: number | null;
  readonly message: string | null;
  readonly hint: string | null;
  readonly question: string | null;
  readonly usage: AgentUsage | null;
  readonly cost_usd: number | null;
  readonly duration_ms: number | null;
  /** Files changed in the sprite; null: not collected (yet). */
  readonly changed_files: number | null;
  /** Files of the sprite that were not taken over, with the reason. */
  readonly left_in_sprite: readonly { readonly path: string; readonly reason: string }[];
  /** New files of the sprite that git ignores or a pattern excludes: they are not taken over. */
  readonly ignored_files: number;
  /** Of the sprite, the push and the pull; those of the landing are in it. */
  readonly warnings: readonly string[];
  readonly landing: LandingSummary | null;
  readonly faults: readonly RunFault[];
}

/** `interrupted`: its process is gone and it had not ended. */
export type RunState = 'running' | 'ended' | 'interrupted';

export function runStateOf(record: RunRecord): RunState {
  if (record.ended_at !== null) return 'ended';
  return record.process !== null && isSameProcess(record.process) ? 'running' : 'interrupted';
}

/** Its agent was started, so there may be work of it. */
export function hasBegun({ step }: RunRecord): boolean {
  return !['begin', 'start', 'push', 'setup'].includes(step);
}

/** Whether the project has all of its work, so that the record may go: a patch, and what was not landed, lie in it. */
export function isHome(record: RunRecord): boolean {
  const { sandbox, sprite, changed_files: changed, landing } = record;
  if (!sandbox || sprite === null || changed === 0 || !hasBegun(record)) return true;
  if (landing === null) return false;
  return landing.mode === 'branch' || (landing.mode === 'apply' && landing.landing_id !== null);
}

/** Whether its sprite was made for it alone: one that somebody named may have been there before. */
export function hasOwnSprite({ id, sprite }: RunRecord): boolean {
  return sprite !== null && sprite.name === spriteNameOf(id);
}

export function newRecord(facts: Pick<RunRecord, 'id' | 'root' | 'agent' | 'sandbox' | 'task'>): RunRecord {
  return {
    version: RECORD_VERSION,
    ...facts,
    created_at: new Date().toISOString(),
    ended_at: null,
    process: identify(process.pid),
    step: 'begin',
    sprite: null,
    session: null,
    agent_session: null,
    outcome: null,
    exit_code: null,
    message: null,
    hint: null,
    question: null,
    usage: null,
    cost_usd: null,
    duration_ms: null,
    changed_files: null,
    left_in_sprite: [],
    ignored_files: 0,
    warnings: [],
    landing: null,
    faults: [],
  };
}

export class RunStore {
  readonly root: string;
  readonly #dir: string;

  constructor(root: string) {
    this.root = root;
    this.#dir = join(root, '.wreckit', 'runs');
  }

  dirOf(runId: string): string {
    return join(this.#dir, runId);
  }

  /** Throws as `makeStateDirectory`. */
  create(record: RunRecord, files: Readonly<Record<string, string>>): void {
    for (const part of [dirname(this.#dir), this.#dir]) makeStateDirectory(part);
    const ignore = join(this.#dir, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
    mkdirSync(this.dirOf(record.id), { mode: 0o700 });
    this.write(record);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.dirOf(record.id), name), content, { mode: 0o600 });
    }
  }

  write(record: RunRecord): RunRecord {
    writeDurably(join(this.dirOf(record.id), 'run.json'), [JSON.stringify(record, null, 1), '\n']);
    return record;
  }

  /** `latest` is the newest. Throws `USAGE` for what is no run of this project. */
  read(runId: string): RunRecord {
    const id = runId === 'latest' ? this.ids().at(-1) : runId;
    const record = id !== undefined && isRunId(id) ? this.#find(id) : null;
    if (record !== null) return record;
    const what = id === undefined ? 'there are no runs' : `there is no run ${quote(runId)}`;
    throw new WreckitError('USAGE', `runs: ${what} in ${this.root}`, {
      hint: 'list them: wreckit runs list',
    });
  }

  /** Oldest first; `unreadable` are ids of those whose record can't be read (another user's, damaged). */
  list(): { readonly records: readonly RunRecord[]; readonly unreadable: readonly string[] } {
    const records: RunRecord[] = [];
    const unreadable: string[] = [];
    for (const id of this.ids()) {
      const record = this.#findIfReadable(id);
      if (record === null) unreadable.push(id);
      else records.push(record);
    }
    return { records, unreadable };
  }

  ids(): string[] {
    return existsSync(this.#dir) ? readdirSync(this.#dir).filter(isRunId).sort() : [];
  }

  remove(runId: string): void {
    rmSync(this.dirOf(runId), { recursive: true, force: true });
  }

  #findIfReadable(id: string): RunRecord | null {
    try {
      return this.#find(id);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return null;
    }
  }

  /** null: there is none, or it is damaged. */
  #find(id: string): RunRecord | null {
    try {
      const value: unknown = JSON.parse(readFileSync(join(this.dirOf(id), 'run.json'), 'utf8'));
      const isRecord = isObject(value) && value.version === RECORD_VERSION && value.id === id;
      return isRecord ? (value as unknown as RunRecord) : null;
    } catch (error) {
      if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }
}
