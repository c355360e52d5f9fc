import type { SpriteEngine, Waiting } from '../engine/engine.ts';

/** A sprite that was stopped stays so: none of its sessions could go on. */
export async function wakeIfFrozen(engine: SpriteEngine, name: string, waiting: Waiting): Promise<void> {
  const sprites = await engine.list({ prefix: name }, waiting);
  const isFrozen = sprites.some((sprite) => sprite.name === name && sprite.state === 'warm');
  if (isFrozen) await engine.wake(name, waiting);
}
