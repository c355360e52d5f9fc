import { statSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import { isSessionId, sessionsDir } from './session-dir.ts';
import { readFacts, type SessionFacts } from './session-facts.ts';

/** Throws `SESSION_NOT_FOUND`, `SESSION_LOST` (its record can't be read). */
export function requireFacts(spriteDir: string, sessionId: string): SessionFacts {
  const path = join(sessionsDir(spriteDir), sessionId);
  const isThere = isSessionId(sessionId) && statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (!isThere) throw new WreckitError('SESSION_NOT_FOUND', `session: there is no ${quote(sessionId)}`);
  const facts = readFacts(path);
  if (facts !== null) return facts;
  throw new WreckitError('SESSION_LOST', `session ${sessionId}: its record can't be read`);
}
