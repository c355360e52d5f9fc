/** Checkpoints over the API. Their making is told line by line; which one was made, the list says. */
import { isObject, numberOr, textOr } from '../../contract/json-value.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { type WreckitError as AnyError, toWreckitError, WreckitError } from '../../errors.ts';
import type { Checkpoint, CheckpointOps, Waiting } from '../engine.ts';
import { type ApiCall, type ApiClient, apiPath } from './api-client.ts';

/** The live state stands in the list, too. */
const CURRENT = 'Current';
const CHECKPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Listing wakes a cold sprite; making one copies. */
const TIMEOUT_MS = 120_000;

export class CloudCheckpoints implements CheckpointOps {
  readonly #client: ApiClient;
  /** Resolves when a command has run in the sprite again. */
  readonly #ready: (name: string, waiting: Waiting) => Promise<void>;

  constructor(client: ApiClient, ready: (name: string, waiting: Waiting) => Promise<void>) {
    this.#client = client;
    this.#ready = ready;
  }

  async create(name: string, options: { comment?: string | undefined } & Waiting = {}): Promise<Checkpoint> {
    const { comment, signal } = options;
    const before = new Set((await this.list(name, { signal })).map(({ id }) => id));
    const doing = `checkpoint of ${quote(name)}`;
    const call = {
      method: 'POST',
      route: route(name, ['checkpoint']),
      doing,
      timeoutMs: TIMEOUT_MS,
      signal,
    } as const;
    const said = await this.#steps({ ...call, json: comment === undefined ? {} : { comment } });
    const made = (await this.list(name, { signal })).filter(({ id }) => !before.has(id));
    const named = made.find(({ id }) => said.includes(id)) ?? made.at(-1);
    if (named !== undefined) return named;
    throw new WreckitError(
      'ENGINE_UNAVAILABLE',
      `${doing}: the server says it is made, but it is not in the list`,
    );
  }

  async list(name: string, { signal }: Waiting = {}): Promise<Checkpoint[]> {
    const answer = await this.#client.json({
      method: 'GET',
      route: `${route(name, ['checkpoints'])}?includeAuto=true`,
      doing: `checkpoints of ${quote(name)}`,
      canRepeat: true,
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    if (!Array.isArray(answer)) {
      throw new WreckitError(
        'ENGINE_UNAVAILABLE',
        `checkpoints of ${quote(name)}: the server's answer is not a list`,
      );
    }
    return answer
      .map(checkpointOf)
      .filter((checkpoint) => checkpoint !== null)
      .sort((a, b) => a.created_at.localeCompare(b.created_at));
  }

  async get(name: string, checkpointId: string, waiting: Waiting = {}): Promise<Checkpoint> {
    assertCheckpointId(checkpointId);
    const found = (await this.list(name, waiting)).find(({ id }) => id === checkpointId);
    return found ?? missing(name, checkpointId);
  }

  async restore(
    name: string,
    checkpointId: string,
    { signal }: Waiting = {},
  ): Promise<{ restored: Checkpoint; backup: Checkpoint }> {
    const restored = await this.get(name, checkpointId, { signal });
    const before = new Set((await this.list(name, { signal })).map(({ id }) => id));
    const doing = `restore ${quote(checkpointId)} in ${quote(name)}`;
    const path = route(name, ['checkpoints', checkpointId, 'restore']);
    await this.#steps({
      method: 'POST',
      route: path,
      doing,
      missing: 'CHECKPOINT_NOT_FOUND',
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    // The real service answers before the sprite is back.
    await this.#ready(name, { signal });
    const added = (await this.list(name, { signal })).filter(({ id }) => !before.has(id));
    const backup =
      added.find(({ is_auto: isAuto, id }) => isAuto || id.startsWith('pre-restore')) ?? added.at(-1);
    // Not every server keeps what was there before; that is not made up.
    return { restored, backup: backup ?? NO_BACKUP };
  }

  async remove(name: string, checkpointId: string, { signal }: Waiting = {}): Promise<void> {
    assertCheckpointId(checkpointId);
    await this.#client.json({
      method: 'DELETE',
      route: route(name, ['checkpoints', checkpointId]),
      doing: `delete checkpoint ${quote(checkpointId)} of ${quote(name)}`,
      missing: 'CHECKPOINT_NOT_FOUND',
      signal,
    });
  }

  /** The text of the last line. Throws what a line of type `error` reports, and where there is no `complete`. */
  async #steps(call: ApiCall): Promise<string> {
    let last = '';
    try {
      for await (const line of this.#client.lines(call)) {
        if (line.type === 'error') throw stepFault(call.doing, line);
        if (line.type === 'complete') return textOr(line.data, '');
        last = textOr(line.data, last);
      }
    } catch (thrown) {
      throw toWreckitError(thrown);
    }
    throw new WreckitError(
      'ENGINE_UNAVAILABLE',
      `${call.doing}: the server did not say that it is done (${last})`,
      {
        hint: 'see what came of it: wisp --engine cloud checkpoint list NAME',
      },
    );
  }
}

const NO_BACKUP: Checkpoint = {
  id: 'none',
  created_at: '',
  comment: 'this server keeps no copy of what was there before',
  is_auto: true,
  source_id: null,
  size_bytes: 0,
};

function route(name: string, parts: readonly string[]): string {
  return apiPath(['sprites', assertSpriteName(name), ...parts]);
}

function assertCheckpointId(checkpointId: string): void {
  if (CHECKPOINT_ID.test(checkpointId) && checkpointId !== CURRENT) return;
  throw new WreckitError('CHECKPOINT_NOT_FOUND', `checkpoint: ${quote(checkpointId)} is not a checkpoint id`);
}

function missing(name: string, checkpointId: string): never {
  throw new WreckitError(
    'CHECKPOINT_NOT_FOUND',
    `checkpoint ${quote(checkpointId)}: ${quote(name)} has none of this id`,
  );
}

function stepFault(doing: string, line: Readonly<Record<string, unknown>>): AnyError {
  const said = textOr(line.error, textOr(line.message, textOr(line.data, 'the server could not')));
  return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${said}`, { hint: textOr(line.hint, undefined) });
}

function checkpointOf(raw: unknown): Checkpoint | null {
  if (!isObject(raw) || typeof raw.id !== 'string' || raw.id === CURRENT) return null;
  return {
    id: raw.id,
    created_at: textOr(raw.create_time, ''),
    comment: textOr(raw.comment, null),
    is_auto: raw.is_auto === true,
    source_id: textOr(raw.source_id, null),
    size_bytes: numberOr(raw.size_bytes, 0),
  };
}
