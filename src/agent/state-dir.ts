/** Where wreckit keeps what is about this machine, not about a project. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** Every process that may start sprites must agree on it, so it is not a temporary directory. */
export function stateDir({ XDG_STATE_HOME, HOME }: Env): string {
  if (XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, 'wreckit');
  return join(HOME ?? homedir(), '.local', 'state', 'wreckit');
}

/** Tells engines apart that know nothing of each other's sprites. */
export function engineScope(env: Env, wispPath = ''): string {
  const key = [wispPath, env.WISP_HOME ?? '', env.SPRITES_API_URL ?? ''].join('\n');
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
