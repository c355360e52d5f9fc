/** `start --from OTHER[@CHECKPOINT]`: a sprite that begins as a copy of another one. */
import { assertSpriteName, quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { StartSpec, Waiting } from '../engine.ts';
import { copyDisk, existingCheckpointDir, type HoldSprite } from './checkpoints.ts';
import type { SpriteRecord } from './record.ts';
import type { SpriteDirs } from './sprite-dirs.ts';

export interface CopySource {
  readonly record: SpriteRecord;
  /** Absent: the sprite as it is now. */
  readonly checkpointId: string | undefined;
}

/** `read` throws `SPRITE_NOT_FOUND`. Null: nothing is to be copied. */
export function copySourceOf(
  { name, from }: StartSpec,
  read: (name: string) => SpriteRecord,
): CopySource | null {
  if (from === undefined) return null;
  const at = from.indexOf('@');
  const other = assertSpriteName(at < 0 ? from : from.slice(0, at));
  if (other === name)
    throw new WreckitError('USAGE', `start from: sprite ${quote(name)} can't be made from itself`);
  return { record: read(other), checkpointId: at < 0 ? undefined : from.slice(at + 1) };
}

/** A copy has its source's base and settings where nothing else is asked for. Owner and life span are its own. */
export function inherit(asked: StartSpec, source: SpriteRecord): StartSpec {
  const { limits, network, env, labels, image, idle_timeout_ms: idleTimeoutMs } = source;
  if (asked.image !== undefined && asked.image !== image) {
    throw new WreckitError(
      'USAGE',
      `start from: the copy has the base of its source, ${quote(image)}, not ${quote(asked.image)}`,
    );
  }
  const inherited = {
    ...(limits.memory_bytes === null ? {} : { memoryBytes: limits.memory_bytes }),
    ...(limits.cpus === null ? {} : { cpus: limits.cpus }),
    ...(limits.pids === null ? {} : { pids: limits.pids }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    network,
    image,
  };
  const set = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return {
    ...inherited,
    ...set,
    name: asked.name,
    env: { ...env, ...asked.env },
    labels: { ...labels, ...asked.labels },
  };
}

/** Copies the source's disk. Throws `CHECKPOINT_NOT_FOUND`, `SPRITE_EXEC_FAILED`. */
export async function fillFromSource(
  { record, checkpointId }: CopySource,
  target: SpriteDirs,
  { hold, signal }: { hold: HoldSprite } & Waiting,
): Promise<void> {
  await hold(record.name, { signal }, async ({ dirs, running, ...how }) => {
    const source =
      checkpointId === undefined
        ? { running, from: dirs.disk }
        : { running: null, from: existingCheckpointDir(dirs, checkpointId) };
    await copyDisk({ ...how, running: source.running }, source.from, target.disk, { signal });
  });
}
