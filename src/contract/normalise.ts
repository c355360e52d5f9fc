/**
 * The data of each verb, read tolerantly: other spellings are understood, absent fields become "not known"
 * (null, empty, `unknown`), unknown fields are kept. What can't be understood is `WISP_PROTOCOL`, and what
 * is dropped is named in a warning. Hand-written because the fast verbs can't afford to load zod.
 */
import {
  integerOr,
  isObject,
  type JsonObject,
  numberOr,
  textOr,
  textRecordOf,
  textsOf,
} from './json-value.ts';
import { isSpriteName, quote } from './names.ts';
import { protocolError } from './parse.ts';
import type {
  AttachData,
  Check,
  ExecData,
  FileEntry,
  GcItem,
  Network,
  Session,
  Sprite,
  SpriteState,
  VersionData,
} from './schemas.ts';

export interface Normalised<T> {
  readonly items: T[];
  readonly warnings: readonly string[];
}

const STATES = ['creating', 'running', 'warm', 'cold', 'stopping', 'error', 'unknown'];
const NETWORKS = ['open', 'filtered', 'none'];

/** Sprites of an array, `{sprites}` or `{data:{sprites}}`; one without a usable name is dropped. */
export function normaliseSprites(data: unknown, verb: string): Normalised<Sprite> {
  const raw = listIn(data, 'sprites');
  if (raw === undefined) throw protocolError(verb, 'its answer has no list of sprites');
  return collect(raw, (item) => normaliseSprite(item), 'a sprite without a valid name');
}

/** The sprite of `{sprite}` or of a bare object. */
export function normaliseOneSprite(data: unknown, verb: string): Sprite {
  const inner = isObject(data) && isObject(data.sprite) ? data.sprite : data;
  const sprite = normaliseSprite(inner);
  if (sprite === undefined) throw protocolError(verb, 'its answer has no sprite');
  return sprite;
}

function normaliseSprite(raw: unknown): Sprite | undefined {
  if (!isObject(raw) || !isSpriteName(raw.name)) return undefined;
  const { name } = raw;
  const resources = isObject(raw.resources) ? raw.resources : {};
  return {
    ...raw,
    name,
    id: textOr(raw.id, name),
    state: stateOf(raw.state ?? raw.status),
    engine: textOr(raw.engine, 'unknown'),
    isolation: textOr(raw.isolation, null),
    created_at: textOr(raw.created_at, ''),
    last_active_at: textOr(raw.last_active_at, null),
    labels: textRecordOf(raw.labels),
    resources: {
      ...resources,
      memory_bytes: numberOr(resources.memory_bytes, null),
      cpus: numberOr(resources.cpus, null),
      pids: numberOr(resources.pids, null),
    },
    network: networkOf(raw.network),
    image: textOr(raw.image, ''),
    workdir: textOr(raw.workdir, ''),
    sessions: Array.isArray(raw.sessions)
      ? collect(raw.sessions, normaliseSession, '').items
      : integerOr(raw.sessions, 0),
    owner: textOr(raw.owner, null),
    expires_at: textOr(raw.expires_at, null),
    error: textOr(raw.error, null),
    usage: usageOf(raw.usage),
    warnings: textsOf(raw.warnings),
  };
}

function stateOf(value: unknown): SpriteState {
  return typeof value === 'string' && STATES.includes(value) ? (value as SpriteState) : 'unknown';
}

/** A program that doesn't say is not taken to have closed the network. */
function networkOf(value: unknown): Network {
  return typeof value === 'string' && NETWORKS.includes(value) ? (value as Network) : 'open';
}

function usageOf(value: unknown): NonNullable<Sprite['usage']> {
  const usage = isObject(value) ? value : {};
  return {
    ...usage,
    memory_bytes: numberOr(usage.memory_bytes, null),
    cpu_ms: numberOr(usage.cpu_ms, null),
    pids: numberOr(usage.pids, null),
    disk_bytes: numberOr(usage.disk_bytes, null),
  };
}

export function normaliseSessions(data: unknown, verb: string): Normalised<Session> {
  const raw = listIn(data, 'sessions');
  if (raw === undefined) throw protocolError(verb, 'its answer has no list of sessions');
  return collect(raw, normaliseSession, 'a session without an id');
}

function normaliseSession(raw: unknown): Session | undefined {
  if (!isObject(raw)) return undefined;
  const id = typeof raw.id === 'number' ? String(raw.id) : raw.id;
  if (typeof id !== 'string' || id === '') return undefined;
  const exitCode = integerOr(raw.exit_code, null);
  return {
    ...raw,
    id,
    command: typeof raw.command === 'string' ? [raw.command] : textsOf(raw.command),
    dir: textOr(raw.dir, ''),
    user: textOr(raw.user, ''),
    tty: raw.tty === true,
    state: sessionStateOf(raw.state ?? raw.status, exitCode),
    exit_code: exitCode,
    signal: textOr(raw.signal, null),
    created_at: textOr(raw.created_at, ''),
    exited_at: textOr(raw.exited_at, null),
    stdout_bytes: integerOr(raw.stdout_bytes, 0),
    stderr_bytes: integerOr(raw.stderr_bytes, 0),
    stdout_start: integerOr(raw.stdout_start, 0),
    stderr_start: integerOr(raw.stderr_start, 0),
    cols: integerOr(raw.cols, null),
    rows: integerOr(raw.rows, null),
  };
}

/** Only what says so is running or has exited with a code; the rest can't be verified. */
function sessionStateOf(value: unknown, exitCode: number | null): Session['state'] {
  if (value === 'running' || value === 'exited') return value;
  return exitCode === null ? 'lost' : 'exited';
}

/** `exit_code` must be there: an integer, or null while a detached command runs. */
export function normaliseExec(data: unknown, isDetached: boolean): ExecData {
  if (!isObject(data)) throw protocolError('exec', 'its answer has no result');
  const exitCode = integerOr(data.exit_code, null);
  if (exitCode === null && !isDetached) throw protocolError('exec', 'its answer has no exit code');
  const sessionId = typeof data.session_id === 'number' ? String(data.session_id) : data.session_id;
  if (isDetached && (typeof sessionId !== 'string' || sessionId === '')) {
    throw protocolError('exec', 'its answer has no session id for the detached command');
  }
  return {
    ...data,
    session_id: textOr(sessionId, ''),
    exit_code: exitCode,
    signal: textOr(data.signal, null),
    stdout: textOr(data.stdout, ''),
    stderr: textOr(data.stderr, ''),
    stdout_truncated_bytes: integerOr(data.stdout_truncated_bytes, 0),
    stderr_truncated_bytes: integerOr(data.stderr_truncated_bytes, 0),
    timed_out: data.timed_out === true,
    duration_ms: numberOr(data.duration_ms, 0),
  };
}

export function normaliseAttach(data: unknown): AttachData {
  const session = isObject(data) ? normaliseSession(data.session) : undefined;
  if (!isObject(data) || session === undefined) throw protocolError('attach', 'its answer has no session');
  return {
    ...data,
    session,
    output_tail: textOr(data.output_tail, ''),
    next_offset: integerOr(data.next_offset, 0),
  };
}

/** The names the program says are gone; nothing is taken to be gone that it doesn't name. */
export function normaliseKilled(data: unknown): string[] {
  const killed = isObject(data) ? data.killed : data;
  if (typeof killed === 'string') return [killed];
  if (!Array.isArray(killed)) throw protocolError('kill', 'its answer does not say what was killed');
  return textsOf(killed);
}

export function normaliseKilledSession(data: unknown): { exit_code: number | null; already_gone: boolean } {
  if (!isObject(data)) throw protocolError('kill-session', 'its answer has no result');
  return { ...data, exit_code: integerOr(data.exit_code, null), already_gone: data.already_gone === true };
}

export function normaliseFiles(data: unknown, verb: string): Normalised<FileEntry> {
  const raw = listIn(data, 'entries') ?? listIn(data, 'files');
  if (raw === undefined) throw protocolError(verb, 'its answer has no list of files');
  return collect(raw, normaliseFile, 'a file without a name');
}

function normaliseFile(raw: unknown): FileEntry | undefined {
  if (!isObject(raw) || typeof raw.name !== 'string' || raw.name === '') return undefined;
  const isKnown = raw.type === 'file' || raw.type === 'directory' || raw.type === 'symlink';
  return {
    ...raw,
    name: raw.name,
    path: textOr(raw.path, raw.name),
    type: isKnown ? (raw.type as FileEntry['type']) : 'other',
    size_bytes: numberOr(raw.size_bytes, 0),
    mode: textOr(raw.mode, ''),
    modified_at: textOr(raw.modified_at, ''),
  };
}

export function normaliseGc(data: unknown): { removed: GcItem[]; kept: GcItem[] } {
  if (!isObject(data) || !Array.isArray(data.removed)) {
    throw protocolError('gc', 'its answer does not say what was removed');
  }
  const kept = Array.isArray(data.kept) ? data.kept : [];
  return { removed: data.removed.filter(isObject).map(gcItemOf), kept: kept.filter(isObject).map(gcItemOf) };
}

function gcItemOf(raw: JsonObject): GcItem {
  return { ...raw, kind: textOr(raw.kind, ''), name: textOr(raw.name, ''), reason: textOr(raw.reason, '') };
}

export function normaliseChecks(data: unknown): Check[] {
  const raw = listIn(data, 'checks');
  if (raw === undefined) throw protocolError('doctor', 'its answer has no list of checks');
  return raw.filter(isObject).map((check) => ({
    ...check,
    name: textOr(check.name, ''),
    status: check.status === 'ok' || check.status === 'warn' ? check.status : 'fail',
    message: textOr(check.message, ''),
    fix: textOr(check.fix, null),
  }));
}

/** The handshake's facts, or undefined where the data is something else. */
export function normaliseVersion(data: unknown): VersionData | undefined {
  if (!isObject(data)) return undefined;
  const { engine, protocol, version } = data;
  if (typeof engine !== 'string' || engine === '' || !Number.isSafeInteger(protocol)) return undefined;
  return {
    ...data,
    engine,
    protocol: protocol as number,
    version: textOr(version, ''),
    capabilities: textsOf(data.capabilities),
    isolation: textsOf(data.isolation),
  };
}

function listIn(data: unknown, key: string): readonly unknown[] | undefined {
  if (Array.isArray(data)) return data;
  if (!isObject(data)) return undefined;
  if (Array.isArray(data[key])) return data[key];
  return isObject(data.data) || Array.isArray(data.data) ? listIn(data.data, key) : undefined;
}

function collect<T>(
  raw: readonly unknown[],
  read: (item: unknown) => T | undefined,
  what: string,
): Normalised<T> {
  const items: T[] = [];
  const warnings: string[] = [];
  for (const entry of raw) {
    const item = read(entry);
    if (item !== undefined) items.push(item);
    else warnings.push(`${what} was left out: ${quote(JSON.stringify(entry) ?? String(entry))}`);
  }
  return { items, warnings };
}
