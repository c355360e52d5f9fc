/** A sprite that the configuration names is had by one run at a time. */
import { errorOf, WreckitError } from '../../errors.ts';
import type { AgentAtWork, SpriteHold } from '../../sync/hold-sprite.ts';
import type { SpriteRunOptions } from '../agent-options.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';

/**
 * Null: nobody else works in a sprite of the run's own, nor does it matter where nothing comes back. Throws
 * `SPRITE_BUSY` while another run works in it, or the agent of one that was killed.
 */
export async function holdNamedSprite(
  { config, cwd, signal }: SpriteRunOptions,
  client: WispClient,
): Promise<SpriteHold | null> {
  const { vmName: name, syncEnabled } = config;
  if (name === undefined || !syncEnabled) return null;
  const { holdSprite } = await import('../../sync/hold-sprite.ts');
  const hold = await holdSprite(cwd, name, signal);
  try {
    if (hold.left !== null && (await isAtWork(client, name, hold.left, signal))) {
      const { runId, sessionId } = hold.left;
      throw errorOf('SPRITE_BUSY', `sprite "${name}": the agent of run ${runId} still works in it`, {
        hint: `end it and bring its work home: wreckit runs land ${runId}`,
        details: { run: runId, session: sessionId },
      });
    }
    hold.forgetLeft();
    return hold;
  } catch (error) {
    hold[Symbol.dispose]();
    throw error;
  }
}

async function isAtWork(
  client: WispClient,
  name: string,
  { sessionId }: AgentAtWork,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const sessions = await client.sessions(name, { signal });
    return sessions.some(({ id, state }) => id === sessionId && state === 'running');
  } catch (error) {
    if (error instanceof WreckitError && error.code === 'SPRITE_NOT_FOUND') return false;
    throw error;
  }
}
