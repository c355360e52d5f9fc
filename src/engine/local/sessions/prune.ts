import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sessionsDir } from './session-dir.ts';
import { readFacts, sessionIds } from './session-facts.ts';

/** Records of sessions that have ended, per sprite. */
const KEPT_SESSIONS = 50;

/** Removes the oldest sessions that have ended and whose last byte is written. */
export function pruneSessions(spriteDir: string): void {
  const ids = sessionIds(spriteDir);
  if (ids.length <= KEPT_SESSIONS) return;
  const ended = ids.map((id) => join(sessionsDir(spriteDir), id)).filter(isOver);
  for (const path of ended.slice(0, -KEPT_SESSIONS)) rmSync(path, { recursive: true, force: true });
}

function isOver(path: string): boolean {
  const facts = readFacts(path);
  if (facts === null || facts.phase === 'lost') return true;
  return facts.phase === 'exited' && facts.state?.is_drained === true;
}
