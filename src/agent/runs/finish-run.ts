/**
 * Brings the work of a run home after the fact: of one that was killed, or whose landing failed or was put off.
 * What is still to do is read from the record: collect (while the sprite is there), land, keep or remove.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WreckitError } from '../../errors.ts';
import type { ChangeSet } from '../../sync/change-set.ts';
import { isComplete, loadChangeSet } from '../../sync/change-set.ts';
import { forgetSprite } from '../../sync/forget-sprite.ts';
import { type LandMode, landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import type { OnSyncProgress } from '../../sync/sync-progress.ts';
import { wispPort } from '../../sync/wisp-port.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';
import { landingSummary } from './landing-summary.ts';
import { assertNotRunning, changeFacts } from './recorded-run.ts';
import { hasBegun, hasOwnSprite, type RunRecord, type RunStore, runStateOf } from './run-record.ts';

export interface FinishOptions {
  readonly store: RunStore;
  readonly record: RunRecord;
  readonly client: WispClient;
  readonly mode: LandMode;
  readonly branchPrefix: string;
  /** Collect again, though there is a change set. */
  readonly again?: boolean | undefined;
  /** Remove the sprite once its work is here whole. */
  readonly kill?: boolean | undefined;
  readonly onProgress?: OnSyncProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Throws `CONFLICT` (it still runs), `SPRITE_NOT_FOUND` (nothing was collected and the sprite is gone), `SPRITE_SYNC_FAILED`. */
export async function finishRun(options: FinishOptions): Promise<RunRecord> {
  const { store, mode, branchPrefix, signal } = options;
  let { record } = options;
  assertNotRunning(record, runStateOf(record) === 'running');
  if (!hasBegun(record)) return await endUnbegun(options);
  const changes = await changesOf(options);
  record = store.write({ ...record, ...changeFacts(changes, record.warnings) });
  if (changes.changes.length > 0) {
    const message = `${record.task}\n\nMade by an agent (${record.agent}, outcome ${record.outcome ?? 'unknown'}) in run ${record.id}\n`;
    const landing = await landChanges({
      changeSet: changes,
      mode,
      branch: `${branchPrefix}${record.id}`,
      message,
      signal,
    });
    record = store.write({ ...record, landing: landingSummary(landing), faults: [] });
  }
  if (options.kill && isComplete(changes)) record = await removeSprite(options, record);
  const ended = {
    ended_at: record.ended_at ?? new Date().toISOString(),
    outcome: record.outcome ?? ('aborted' as const),
  };
  return store.write({ ...record, ...ended, step: 'end' });
}

/** Its agent never ran: what is in the sprite is at most part of what was sent, and must not come back. */
async function endUnbegun(options: FinishOptions): Promise<RunRecord> {
  const { store, record } = options;
  const ended = store.write({
    ...record,
    ended_at: record.ended_at ?? new Date().toISOString(),
    outcome: record.outcome ?? 'aborted',
    message: record.message ?? 'it was cut off before its agent ran: there is no work to land',
    changed_files: 0,
  });
  return options.kill ? await removeSprite(options, ended) : ended;
}

async function changesOf(options: FinishOptions): Promise<ChangeSet> {
  const { store, record, client, again = false, onProgress, signal } = options;
  const dir = join(store.dirOf(record.id), 'changes');
  if (existsSync(join(dir, 'changes.json')) && !again) return loadChangeSet(dir);
  if (record.sprite === null) {
    throw new WreckitError(
      'SPRITE_NOT_FOUND',
      `run ${record.id}: it never had a sprite, there is nothing to land`,
    );
  }
  const { name } = record.sprite;
  await endAgent(options, name);
  const sprite = await client.info(name, { signal });
  const port = wispPort({ client, name, id: sprite.id === '' ? null : sprite.id, dir: sprite.workdir });
  return await pullChanges({ root: store.root, port, dir, onProgress, signal });
}

/** An agent that outlived its run still writes: nobody waits for its result. */
async function endAgent(options: FinishOptions, name: string): Promise<void> {
  const { record, client, signal } = options;
  const sessions = record.session === null ? await unknownSessions(options, name) : [record.session];
  for (const session of sessions) await client.killSession(name, session, { grace: '10s', signal });
}

/** Its wreckit may have been gone before it knew; in a sprite of the run's own there is nobody else. */
async function unknownSessions({ record, client, signal }: FinishOptions, name: string): Promise<string[]> {
  if (!hasOwnSprite(record)) return [];
  const sessions = await client.sessions(name, { signal });
  return sessions.filter(({ state }) => state === 'running').map(({ id }) => id);
}

/** Only one that was made by the run: another's holds another's work. */
async function removeSprite({ client, store, signal }: FinishOptions, record: RunRecord): Promise<RunRecord> {
  if (record.sprite === null || !record.sprite.kept) return record;
  const { name } = record.sprite;
  try {
    const { owner } = await client.info(name, { signal });
    if (!hasOwnSprite(record) && owner !== record.id)
      return store.write({ ...record, sprite: { ...record.sprite, kept_because: 'it is not of this run' } });
    await client.kill([name], { signal });
  } catch (error) {
    // A run that was cut off may not have come to make it.
    if (!(error instanceof WreckitError) || error.code !== 'SPRITE_NOT_FOUND') throw error;
  }
  await forgetSprite(store.root, name, signal);
  return store.write({ ...record, sprite: { ...record.sprite, kept: false, kept_because: null } });
}
