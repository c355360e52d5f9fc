/** What is read from wisp's answers beyond what the contract's readers check. */
import { isObject, textOr } from '../../contract/json-value.ts';
import { normaliseOneSprite } from '../../contract/normalise-sprite.ts';
import { protocolError } from '../../contract/parse.ts';
import type { Sprite } from '../../contract/schemas.ts';
import type { Checkpoint } from './wisp-client.ts';

/** `{checkpoint:{…}}`, or one itself. */
export function checkpointIn(data: unknown, verb: string): Checkpoint {
  const raw = isObject(data) && isObject(data.checkpoint) ? data.checkpoint : data;
  if (!isObject(raw) || typeof raw.id !== 'string' || raw.id === '')
    throw protocolError(verb, 'its answer has no checkpoint');
  return { id: raw.id, createdAt: textOr(raw.created_at, ''), comment: textOr(raw.comment, null) };
}

/** Another sprite than the one asked for is no answer. */
export function spriteNamed(name: string, data: unknown, verb: string): Sprite {
  const sprite = normaliseOneSprite(data, verb);
  if (sprite.name === name) return sprite;
  throw protocolError(verb, `asked for sprite "${name}", it answered with "${sprite.name}"`);
}
