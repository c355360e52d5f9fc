/**
 * What this machine knows of sessions in the cloud: which it started, with which words, and how those ended that
 * it saw the end of. The API forgets a session the moment it ends; a server of ours doesn't, and is asked first.
 *
 *   <state>/cloud/<server>/<sprite>/<session>.json
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../../contract/json-value.ts';
import { normaliseSession } from '../../contract/normalise-session.ts';
import type { Session } from '../../contract/schemas.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { shortHash } from '../digest.ts';
import type { SessionExit } from '../engine.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';

/** Of one sprite; the oldest go. */
const MAX_SESSIONS = 200;

export class SessionLedger {
  readonly #dir: string;

  /** `stateDir` is wisp's own. */
  constructor(stateDir: string, apiUrl: string) {
    this.#dir = join(stateDir, 'cloud', shortHash(apiUrl));
  }

  save(name: string, session: Session): void {
    const dir = this.#of(name);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeJsonFile(join(dir, `${session.id}.json`), session);
    this.#prune(dir);
  }

  ended(name: string, sessionId: string, exit: SessionExit | 'lost'): void {
    const known = this.find(name, sessionId);
    if (known === null || known.state === 'exited') return;
    const end =
      exit === 'lost'
        ? { state: 'lost' as const }
        : {
            state: 'exited' as const,
            exit_code: exit.exitCode,
            signal: exit.signal,
            timed_out: exit.timedOut,
          };
    this.save(name, { ...known, ...end, exited_at: new Date().toISOString() });
  }

  find(name: string, sessionId: string): Session | null {
    return this.#read(join(this.#of(name), `${sessionId}.json`));
  }

  list(name: string): Session[] {
    const dir = this.#of(name);
    return filesIn(dir)
      .map((file) => this.#read(join(dir, file)))
      .filter((session) => session !== null);
  }

  /** A sprite of this name that is made later is another one. */
  forget(name: string): void {
    rmSync(this.#of(name), { recursive: true, force: true });
  }

  #of(name: string): string {
    return join(this.#dir, name);
  }

  /** What can't be read is as good as not there. */
  #read(path: string): Session | null {
    try {
      const value = readJsonFile(path);
      return (isObject(value) ? normaliseSession(value) : undefined) ?? null;
    } catch (thrown) {
      if (errnoOf(thrown) !== undefined || thrown instanceof WreckitError) return null;
      throw thrown;
    }
  }

  #prune(dir: string): void {
    const files = filesIn(dir);
    if (files.length <= MAX_SESSIONS) return;
    const byAge = files
      .map((file) => ({
        path: join(dir, file),
        at: statSync(join(dir, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
      }))
      .sort((a, b) => a.at - b.at);
    for (const { path } of byAge.slice(0, files.length - MAX_SESSIONS)) rmSync(path, { force: true });
  }
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((file) => /^[a-z0-9-]{1,63}\.json$/.test(file));
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}
