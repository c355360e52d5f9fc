/**
 * What an agent gets of our environment: what a program needs to run at all, and the credentials and settings
 * of its own provider. Everything else somebody has exported stays here, above all the token of the sprites.
 */

/** The families of variables that belong to a kind of agent. */
const FAMILIES = {
  claude: ['ANTHROPIC_', 'CLAUDE_', 'IS_SANDBOX', 'API_TIMEOUT_MS', 'MAX_THINKING_TOKENS', 'DISABLE_'],
  codex: ['OPENAI_', 'CODEX_'],
  opencode: [
    ...['OPENCODE_', 'ANTHROPIC_', 'OPENAI_', 'GEMINI_', 'GOOGLE_GENERATIVE_AI_', 'OPENROUTER_', 'GROQ_'],
    ...['MISTRAL_', 'DEEPSEEK_', 'XAI_', 'ZAI_', 'ZHIPU_', 'CEREBRAS_', 'TOGETHER_', 'OLLAMA_'],
  ],
  amp: ['AMP_'],
  gemini: ['GEMINI_', 'GOOGLE_API_KEY', 'GOOGLE_GEMINI_'],
} as const;

export type AgentFamily = keyof typeof FAMILIES;

/** Set by an agent that this program itself was started by; an agent that sees them takes itself for its child. */
const OF_OUR_PARENT = new Set([
  ...[
    'CLAUDE_CODE_ENTRYPOINT',
    'CLAUDE_CODE_SSE_PORT',
    'CLAUDE_CODE_SESSION_ID',
    'CLAUDE_CODE_CHILD_SESSION',
  ],
  ...[
    'CODEX_SANDBOX',
    'CODEX_SANDBOX_NETWORK_DISABLED',
    'CODEX_THREAD_ID',
    'AMP_THREAD_ID',
    'AMP_CURRENT_THREAD_ID',
  ],
]);

/** They name files of this machine, which aren't there in a sprite. */
const PATHS_OF_THIS_MACHINE = new Set([
  ...[
    'CLAUDE_CONFIG_DIR',
    'CODEX_HOME',
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_DIR',
    'AMP_SETTINGS_FILE',
    'AMP_LOG_FILE',
  ],
]);

/** Either of a group is a whole credential: one in the configuration keeps the others of the shell out. */
const SAME_CREDENTIAL = [
  ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
  ['OPENAI_API_KEY', 'CODEX_API_KEY'],
] as const;

/** Never given to an agent, wherever they come from. */
const SPRITE_TOKENS = new Set(['SPRITES_TOKEN', 'SPRITE_TOKEN']);

const MACHINE_NAMES = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TZ', 'LANG', 'LANGUAGE'],
  ...['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
  // Windows can't start a program without these.
  ...['SYSTEMROOT', 'SystemRoot', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'TEMP', 'TMP', 'PATHEXT', 'Path'],
]);
const MACHINE_PREFIXES = ['LC_', 'XDG_'];

type Environment = Readonly<Record<string, string | undefined>>;

/** What any program on this machine needs. */
export function machineEnv(source: Environment): Record<string, string> {
  return pick(
    source,
    (name) => MACHINE_NAMES.has(name) || MACHINE_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
}

export interface AgentEnvOptions {
  /** The agent's own families; `all`: a program of which we don't know whose models it uses. */
  readonly families: readonly AgentFamily[] | 'all';
  readonly source: Environment;
  /** Of the agent's config, then of the run: the later wins. */
  readonly overrides: readonly (Environment | undefined)[];
  /** False for a sprite: variables that name files of this machine are left out. */
  readonly isThisMachine: boolean;
}

/** Credentials and settings for the agent, wherever it runs. */
export function agentEnv({
  families,
  source,
  overrides,
  isThisMachine,
}: AgentEnvOptions): Record<string, string> {
  const names = families === 'all' ? (Object.keys(FAMILIES) as AgentFamily[]) : families;
  const prefixes = names.flatMap((family) => [...FAMILIES[family]]);
  const given: Environment = Object.assign({}, ...overrides);
  const replaced = new Set<string>(
    SAME_CREDENTIAL.filter((group) => group.some((name) => Boolean(given[name]))).flat(),
  );
  const own = pick(source, (name) => {
    if (replaced.has(name)) return false;
    if (OF_OUR_PARENT.has(name) || (!isThisMachine && PATHS_OF_THIS_MACHINE.has(name))) return false;
    return prefixes.some((prefix) => (prefix.endsWith('_') ? name.startsWith(prefix) : name === prefix));
  });
  return pick(Object.assign({}, own, ...overrides), () => true);
}

function pick(source: Environment, isAllowed: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && !SPRITE_TOKENS.has(name) && isAllowed(name)) picked[name] = value;
  }
  return picked;
}
