import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { sessionsDir } from './session-dir.ts';
import { readFacts, sessionIds } from './session-facts.ts';

/** Records of sessions that have ended, per sprite. */
const KEPT_SESSIONS = 50;
/** So many more may be there: to look at them all after each command would cost more than the command. */
const SLACK_SESSIONS = 16;

/** Removes the oldest sessions that have ended and whose last byte is written. What is left half-done is done later. */
export async function pruneSessions(spriteDir: string): Promise<void> {
  const ids = sessionIds(spriteDir);
  if (ids.length <= KEPT_SESSIONS + SLACK_SESSIONS) return;
  const ended: string[] = [];
  for (const id of ids) {
    const path = join(sessionsDir(spriteDir), id);
    if (isOver(path)) ended.push(path);
    await turn();
  }
  for (const path of ended.slice(0, -KEPT_SESSIONS)) await rm(path, { recursive: true, force: true });
}

function isOver(path: string): boolean {
  const facts = readFacts(path);
  if (facts === null || facts.phase === 'lost') return true;
  return facts.phase === 'exited' && facts.state?.is_drained === true;
}
