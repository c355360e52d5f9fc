import { quote } from '../contract/names.ts';
import type { Sprite } from '../contract/schemas.ts';
import type { SpriteEngine } from '../engine/engine.ts';
import { WreckitError } from '../errors.ts';

/** The sprite without its sessions and what it uses: that would take measuring. Throws `SPRITE_NOT_FOUND`. */
export async function findSprite(engine: SpriteEngine, name: string, signal?: AbortSignal): Promise<Sprite> {
  const found = (await engine.list({ prefix: name }, { signal })).find((sprite) => sprite.name === name);
  if (found !== undefined) return found;
  throw new WreckitError('SPRITE_NOT_FOUND', `sprite ${quote(name)}: no such sprite`);
}
