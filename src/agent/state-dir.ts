/** Where wreckit keeps what is about this machine, not about a project. */
import { createHash } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { WreckitError } from '../errors.ts';
import { userHome } from '../process/user-home.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Every process that may start sprites must agree on it, so it is not a temporary directory. Throws `CONFIG_INVALID`. */
export function stateDir(env: Env): string {
  const { XDG_STATE_HOME } = env;
  if (XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, 'wreckit');
  const home = userHome(env);
  if (home !== null) return join(home, '.local', 'state', 'wreckit');
  throw new WreckitError(
    'CONFIG_INVALID',
    "wreckit's own records: this user has no home directory for them",
    {
      hint: 'set HOME, or XDG_STATE_HOME, to a directory you can write to',
    },
  );
}

/** Tells engines apart that know nothing of each other's sprites. */
export function engineScope(env: Env, wispPath = ''): string {
  const key = [wispPath, env.WISP_HOME ?? '', env.SPRITES_API_URL ?? ''].join('\n');
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
