/** One agent at a time in a sprite that several may be sent to: what one does would come back as the other's work. */
import fs from 'node:fs';
import path from 'node:path';
import { readIfThere, writeDurably } from './durable.ts';
import { openSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';

export interface AgentAtWork {
  readonly runId: string;
  readonly sessionId: string;
}

export interface SpriteHold extends Disposable {
  /** The agent of a run that was killed; it may still work. Kept until `forgetLeft`, whoever holds the sprite. */
  readonly left: AgentAtWork | null;
  forgetLeft(): void;
  /** Kept until the hold ends; a process that is killed leaves it to the next holder. */
  note(agent: AgentAtWork): void;
}

/** Dispose it to let go. Throws `SPRITE_BUSY` at once while another process of this project holds it. */
export async function holdSprite(root: string, sprite: string, signal?: AbortSignal): Promise<SpriteHold> {
  const dir = spriteDirOf(openSyncDir(root), sprite);
  const lock = await holdLock(path.join(dir, 'run.lock'), {
    what: `sprite "${sprite}"`,
    doing: 'runs an agent in it',
    hint: 'wait for that run (wreckit runs list), or let this one have a sprite of its own',
    waitMs: 0,
    signal,
  });
  const file = path.join(dir, 'agent.json');
  let isOwn = false;
  return {
    left: readAgent(file),
    forgetLeft: () => fs.rmSync(file, { force: true }),
    note: (agent) => {
      isOwn = true;
      writeDurably(file, [JSON.stringify(agent)]);
    },
    [Symbol.dispose]: () => {
      if (isOwn) fs.rmSync(file, { force: true });
      lock[Symbol.dispose]();
    },
  };
}

function readAgent(file: string): AgentAtWork | null {
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    const { runId, sessionId } = JSON.parse(text) as Record<string, unknown>;
    return typeof runId === 'string' && typeof sessionId === 'string' ? { runId, sessionId } : null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return null;
    throw thrown;
  }
}
