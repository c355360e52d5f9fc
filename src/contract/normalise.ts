/**
 * The data of each verb, read tolerantly: other spellings are understood, absent fields become "not known"
 * (null, empty, `unknown`), unknown fields are kept. What can't be understood is `WISP_PROTOCOL`, and what
 * is dropped is named in a warning. Hand-written because the fast verbs can't afford to load zod.
 */
import { isObject, type JsonObject, numberOr, textOr, textsOf } from './json-value.ts';
import { collect, listIn, type Normalised } from './normalise-list.ts';
import { protocolError } from './parse.ts';
import type { Check, FileEntry, GcItem, VersionData } from './schemas.ts';

/** The names the program says are gone; nothing is taken to be gone that it doesn't name. */
export function normaliseKilled(data: unknown): string[] {
  const killed = isObject(data) ? data.killed : data;
  if (typeof killed === 'string') return [killed];
  if (!Array.isArray(killed)) throw protocolError('kill', 'its answer does not say what was killed');
  return textsOf(killed);
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
