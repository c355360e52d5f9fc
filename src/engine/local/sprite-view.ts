/** A record and the kernel's word on it, as the contract's sprite object. */
import type { Sprite, SpriteState } from '../../contract/schemas.ts';
import { SPRITE_HOME } from '../sprite-home.ts';
import { lockHolder } from './lock.ts';
import type { SpriteRecord } from './record.ts';

export interface ViewFacts {
  readonly lockFile: string;
  readonly isUp: boolean;
  readonly isFrozen: boolean;
  readonly lastActiveAt: string | null;
  readonly runningSessions: number;
}

export function spriteView(record: SpriteRecord, facts: ViewFacts): Sprite {
  const { state, error } = stateOf(record, facts);
  return {
    name: record.name,
    id: record.id,
    state,
    engine: 'local',
    isolation: record.isolation,
    created_at: record.created_at,
    last_active_at: facts.lastActiveAt,
    labels: { ...record.labels },
    annotations: { ...record.annotations },
    resources: { ...record.limits },
    network: record.network,
    image: record.image,
    workdir: `${SPRITE_HOME}/project`,
    sessions: facts.runningSessions,
    owner: record.owner,
    expires_at: record.expires_at,
    error,
    warnings: [...record.warnings],
    idle_timeout_ms: record.idle_timeout_ms ?? null,
  };
}

/** A sprite whose record can't be read: shown, so that it can be killed; nothing about it is guessed. */
export function unknownSprite(name: string, error: string): Sprite {
  return {
    name,
    id: '',
    state: 'unknown',
    engine: 'local',
    isolation: null,
    created_at: new Date(0).toISOString(),
    last_active_at: null,
    labels: {},
    resources: { memory_bytes: null, cpus: null, pids: null },
    network: 'none',
    image: '',
    workdir: SPRITE_HOME,
    sessions: 0,
    owner: null,
    expires_at: null,
    error,
  };
}

function stateOf(
  record: SpriteRecord,
  { lockFile, isUp, isFrozen }: ViewFacts,
): { state: SpriteState; error: string | null } {
  switch (record.phase) {
    case 'ready':
      if (!isUp) return { state: 'cold', error: null };
      return { state: isFrozen ? 'warm' : 'running', error: null };
    case 'stopping':
      return { state: lockHolder(lockFile) === null ? 'cold' : 'stopping', error: null };
    case 'creating':
    case 'booting':
      if (lockHolder(lockFile) !== null) return { state: 'creating', error: null };
      return { state: 'error', error: 'its start was interrupted: start it again, or kill it' };
    case 'removing':
      if (lockHolder(lockFile) !== null) return { state: 'stopping', error: null };
      return { state: 'error', error: 'its removal was interrupted: kill it again, or run gc' };
  }
}
