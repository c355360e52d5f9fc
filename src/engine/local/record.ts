/**
 * A sprite's record, `record.json`: written before anything of the sprite is made, read by every command.
 * What the record can't know (is it running?) is asked of the kernel: see `state.ts`.
 */
import type { Isolation, Network } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import type { ProcessIdentity } from '../../process/identity.ts';
import { readJsonFile } from '../json-file.ts';

export const RECORD_VERSION = 1;

/**
 * What is being done, or was when its doer died:
 *   creating  it is being made and booted for the first time; none of its user's code has run
 *   booting   its container is being started again; its disk is there
 *   ready     it has been up; whether it runs now the kernel knows
 *   stopping  its processes are being ended, for it has been idle; its disk is there
 *   removing  it is to go, with everything
 */
const RECORD_PHASES = ['creating', 'booting', 'ready', 'stopping', 'removing'] as const;
export type RecordPhase = (typeof RECORD_PHASES)[number];

export interface SpriteRecord {
  readonly version: typeof RECORD_VERSION;
  readonly name: string;
  readonly id: string;
  readonly phase: RecordPhase;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly owner: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** What a front end keeps with the sprite. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly image: string;
  /** The unpacked root file system that is the base; null: the host's. */
  readonly image_dir: string | null;
  /** What the user or the default asked for; null: not limited. */
  readonly limits: {
    readonly memory_bytes: number | null;
    readonly cpus: number | null;
    readonly pids: number | null;
  };
  readonly network: Network;
  /** What its root may do; `standard` when absent. */
  readonly profile?: 'minimal' | 'standard' | undefined;
  readonly isolation: Isolation;
  readonly rootless: boolean;
  readonly runtime: string;
  /** The sprite user's ids on this machine, and inside. */
  readonly uid: number;
  readonly gid: number;
  readonly warnings: readonly string[];
  /** Idle for this long it may be put to sleep; 0: never; absent: as long as `wisp serve` says. */
  readonly idle_timeout_ms?: number | undefined;
  /** Largest file the sprite may write. */
  readonly max_file_bytes: number;
  /** The sprite's PID 1 of its last boot. */
  readonly init: ProcessIdentity | null;
}

/** Reads and checks a record. Throws the system error (`ENOENT`) or `INTERNAL` when it is not a record. */
export function readRecord(path: string): SpriteRecord {
  const value = readJsonFile(path);
  if (isRecord(value)) return value;
  throw new WreckitError('INTERNAL', `sprite record: ${path} is not a record of version ${RECORD_VERSION}`);
}

// Checked by hand: every command reads records, and a schema library would be most of its start-up.
function isRecord(value: unknown): value is SpriteRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<Record<keyof SpriteRecord, unknown>>;
  const texts = [
    record.name,
    record.id,
    record.created_at,
    record.image,
    record.network,
    record.isolation,
    record.runtime,
  ];
  return (
    record.version === RECORD_VERSION &&
    texts.every((text) => typeof text === 'string') &&
    RECORD_PHASES.some((phase) => phase === record.phase) &&
    typeof record.uid === 'number' &&
    typeof record.gid === 'number' &&
    typeof record.max_file_bytes === 'number' &&
    typeof record.rootless === 'boolean' &&
    isObject(record.labels) &&
    isObject(record.annotations) &&
    isObject(record.env) &&
    isObject(record.limits) &&
    Array.isArray(record.warnings) &&
    (record.image_dir === null || typeof record.image_dir === 'string') &&
    (record.init === null || isObject(record.init))
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
