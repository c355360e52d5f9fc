/** What the sessions of a sprite tell of whether somebody is at work in it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../errors.ts';
import { readProcStat } from '../../../process/proc-stat.ts';
import { logExtent } from '../sessions/log-files.ts';
import { sessionsDir, streamsOf } from '../sessions/session-dir.ts';
import { readFacts, sessionIds } from '../sessions/session-facts.ts';
import { readText } from '../sessions/small-file.ts';

export interface SessionsLook {
  /** Somebody who lives follows the output of a running session. */
  readonly isAttended: boolean;
  /** When one of the running sessions last wrote; 0: none has. */
  readonly lastOutputMs: number;
}

/** The sessions of one sprite. Those that are over for good are looked at once. */
export class SessionsWatch {
  readonly #over = new Set<string>();

  look(spriteDir: string): SessionsLook {
    let isAttended = false;
    let lastOutputMs = 0;
    for (const id of sessionIds(spriteDir)) {
      if (this.#over.has(id)) continue;
      const path = join(sessionsDir(spriteDir), id);
      const facts = readFacts(path);
      if (facts?.phase !== 'running') {
        // A last byte may still be on its way to the log.
        if (facts === null || facts.phase === 'lost' || facts.state?.is_drained === true) this.#over.add(id);
        continue;
      }
      isAttended ||= hasLivingReader(path);
      for (const stream of streamsOf(facts.meta)) {
        lastOutputMs = Math.max(lastOutputMs, logExtent(path, stream).modifiedMs ?? 0);
      }
    }
    return { isAttended, lastOutputMs };
  }
}

/** See Lease: "PID BORN …". */
function hasLivingReader(sessionPath: string): boolean {
  return namesIn(sessionPath)
    .filter((name) => name.startsWith('reader.'))
    .some((name) => {
      const [pid = '', born] = readText(join(sessionPath, name)).split(/\s+/);
      const stat = /^\d+$/.test(pid) ? readProcStat(pid) : null;
      return stat !== null && !stat.isZombie && stat.startTime === born;
    });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
