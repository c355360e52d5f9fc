/** Checkpoints. The live state is in the list as `Current`. */
import { z } from 'zod';
import { formatBytes } from '../../contract/units.ts';
import type { Checkpoint } from '../../engine/engine.ts';
import { capability } from '../capability.ts';
import { findSprite } from '../find-sprite.ts';
import { json, ndjson, noContent } from '../reply.ts';
import { httpRoute, type Route } from '../route.ts';
import { ApiCheckpoint, CheckpointList, CheckpointStep, CreateCheckpoint } from '../schemas/checkpoints.ts';
import { flag } from '../schemas/query.ts';

const CURRENT = 'Current';

const create = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/checkpoint',
  summary: "Create a checkpoint of a sprite's files",
  body: CreateCheckpoint,
  streams: 'ndjson',
  answers: { 200: CheckpointStep },
  async handle({ api, params, body, signal }) {
    const checkpoints = capability(api.engine.checkpoints, 'checkpoints');
    await findSprite(api.engine, params.name, signal);
    const comment = body.comment ?? undefined;
    return ndjson(
      (async function* () {
        yield step('info', 'Creating checkpoint...');
        const made = await checkpoints.create(params.name, { comment });
        yield step('info', `Size: ${formatBytes(made.size_bytes)}`);
        yield step('complete', `Checkpoint ${made.id} created`);
      })(),
    );
  },
});

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/checkpoints',
  summary: 'List checkpoints, and the live state',
  query: z.object({
    history: z.string().optional().describe('Only those that descend from this one, and itself'),
    includeAuto: flag.describe('Those the engine made by itself as well'),
  }),
  answers: { 200: CheckpointList },
  async handle({ api, params, query, signal }) {
    const all = await capability(api.engine.checkpoints, 'checkpoints').list(params.name, { signal });
    const shown = all
      .map((checkpoint) => apiCheckpoint(checkpoint, all))
      .filter(({ is_auto: isAuto }) => query.includeAuto || !isAuto)
      .filter(({ id, history }) => !query.history || id === query.history || history.includes(query.history));
    return json(query.history ? shown : [...shown, liveState()]);
  },
});

const get = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/checkpoints/{checkpoint_id}',
  summary: 'Get a checkpoint',
  answers: { 200: ApiCheckpoint },
  async handle({ api, params, signal }) {
    const checkpoints = capability(api.engine.checkpoints, 'checkpoints');
    if (params.checkpoint_id === CURRENT) {
      await findSprite(api.engine, params.name, signal);
      return json(liveState());
    }
    const found = await checkpoints.get(params.name, params.checkpoint_id, { signal });
    return json(apiCheckpoint(found, await checkpoints.list(params.name, { signal })));
  },
});

const restore = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/checkpoints/{checkpoint_id}/restore',
  summary: 'Restore a checkpoint; the current state is saved first',
  streams: 'ndjson',
  answers: { 200: CheckpointStep },
  async handle({ api, params, signal }) {
    const checkpoints = capability(api.engine.checkpoints, 'checkpoints');
    const { id } = await checkpoints.get(params.name, params.checkpoint_id, { signal });
    return ndjson(
      (async function* () {
        yield step('info', `Restoring checkpoint ${id}...`);
        const { backup } = await checkpoints.restore(params.name, id);
        yield step('info', `The state before it is kept as ${backup.id}`);
        yield step('complete', `Checkpoint ${id} restored`);
      })(),
    );
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}/checkpoints/{checkpoint_id}',
  summary: 'Delete a checkpoint',
  answers: { 204: null },
  async handle({ api, params }) {
    await capability(api.engine.checkpoints, 'checkpoints').remove(params.name, params.checkpoint_id);
    return noContent();
  },
});

function step(type: z.output<typeof CheckpointStep>['type'], data: string): z.output<typeof CheckpointStep> {
  return { type, data, time: new Date().toISOString() };
}

function liveState(): z.output<typeof ApiCheckpoint> {
  const create_time = new Date().toISOString();
  return { id: CURRENT, create_time, health: '', history: [], is_auto: false, size_bytes: 0 };
}

function apiCheckpoint(checkpoint: Checkpoint, all: readonly Checkpoint[]): z.output<typeof ApiCheckpoint> {
  const { id, comment, source_id: sourceId } = checkpoint;
  return {
    id,
    create_time: checkpoint.created_at,
    ...(sourceId === null ? {} : { source_id: sourceId }),
    ...(comment === null ? {} : { comment }),
    health: '',
    history: ancestorsOf(checkpoint, all),
    is_auto: checkpoint.is_auto,
    size_bytes: checkpoint.size_bytes,
  };
}

/** The nearest first. A checkpoint that was removed ends the line. */
function ancestorsOf(checkpoint: Checkpoint, all: readonly Checkpoint[]): string[] {
  const ancestors: string[] = [];
  for (let id = checkpoint.source_id; id !== null && !ancestors.includes(id); ) {
    ancestors.push(id);
    id = all.find((other) => other.id === id)?.source_id ?? null;
  }
  return ancestors;
}

export const checkpointRoutes: readonly Route[] = [create, list, get, restore, remove];
