/**
 * The environment a wisp program gets: what it needs to run and to reach its engine, by allow-list. Model
 * keys, cloud credentials and whatever else the user has exported stay out.
 */

const NAMES = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE'],
  ...['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'COLUMNS', 'LINES'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
  ...['SPRITES_TOKEN', 'SPRITE_TOKEN', 'SPRITES_API_URL', 'SPRITE_URL', 'SPRITE_ORG'],
  // The system keyring is reached over it.
  'DBUS_SESSION_BUS_ADDRESS',
  // Windows can't start a program without these.
  ...['SYSTEMROOT', 'SystemRoot', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'TEMP', 'TMP', 'PATHEXT', 'Path'],
]);
const PREFIXES = ['LC_', 'XDG_', 'WISP_'];

export interface ChildEnvOptions {
  /** The token of the sprite cloud; wins over one in `env`. Only ever in the environment, never in argv. */
  readonly token?: string | undefined;
}

export function wispEnv(
  env: Readonly<Record<string, string | undefined>>,
  { token }: ChildEnvOptions = {},
): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && isAllowed(name)) allowed[name] = value;
  }
  if (token !== undefined && token !== '') {
    allowed.SPRITES_TOKEN = token;
    allowed.SPRITE_TOKEN = token;
  }
  return allowed;
}

/** Under both names, whichever was set: Fly's own command reads the one, ours the other. */
export function bothTokens(env: Readonly<Record<string, string>>): Record<string, string> {
  const token = env.SPRITES_TOKEN ?? env.SPRITE_TOKEN;
  return token === undefined ? env : { ...env, SPRITES_TOKEN: token, SPRITE_TOKEN: token };
}

function isAllowed(name: string): boolean {
  return NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}
