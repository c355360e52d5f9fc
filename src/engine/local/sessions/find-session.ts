import type { SessionHandle } from '../../engine.ts';
import type { RunningSprite } from '../inside.ts';
import { LocalSession } from './local-session.ts';
import { requireFacts } from './require-facts.ts';

/** A hold on a session, whatever its state. Throws `SESSION_NOT_FOUND`, `SESSION_LOST` (its record is broken). */
export function findSession(
  spriteDir: string,
  sessionId: string,
  sprite: RunningSprite | null,
): SessionHandle {
  const { path, meta } = requireFacts(spriteDir, sessionId);
  return new LocalSession({ path, meta, sprite });
}
