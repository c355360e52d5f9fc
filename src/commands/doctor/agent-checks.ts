/** Whether the configured agent can work: its program starts, and there is a key for its model. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { LoadedConfig } from '../../config.ts';
import { quote } from '../../contract/names.ts';
import { userHome } from '../../process/user-home.ts';
import type { AgentConfigUnion, InnerAgentConfig, RlmAgentConfig } from '../../schemas.ts';
import type { AnyContext } from '../context.ts';
import { fail, type Outcome, ok, warn } from './check.ts';
import { askVersion } from './tool-version.ts';

interface CliAgent {
  readonly command: string;
  readonly install: string;
  /** Any of these variables is a key. */
  readonly keys: readonly string[];
  /** Below the home: where a login of the program's own is kept. */
  readonly login: string;
  readonly loginCommand: string;
}

const CLI_AGENTS: Readonly<Record<Exclude<InnerAgentConfig['kind'], 'process' | 'rlm'>, CliAgent>> = {
  claude_sdk: {
    command: 'claude',
    install: 'npm install -g @anthropic-ai/claude-code',
    keys: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    login: '.claude/.credentials.json',
    loginCommand: 'claude /login',
  },
  codex_sdk: {
    command: 'codex',
    install: 'npm install -g @openai/codex',
    keys: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
    login: '.codex/auth.json',
    loginCommand: 'codex login',
  },
  opencode_sdk: {
    command: 'opencode',
    install: 'npm install -g opencode-ai',
    keys: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    login: '.local/share/opencode/auth.json',
    loginCommand: 'opencode auth login',
  },
  amp_sdk: {
    command: 'amp',
    install: 'npm install -g @sourcegraph/amp',
    keys: ['AMP_API_KEY'],
    login: '.local/share/amp/secrets.json',
    loginCommand: 'amp login',
  },
};

const RLM_KEYS: Readonly<Record<NonNullable<RlmAgentConfig['aiProvider']>, readonly string[]>> = {
  anthropic: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
  openai: ['OPENAI_API_KEY'],
  google: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  'openai-compatible': ['OPENAI_API_KEY'],
  ollama: [],
  zai: ['ZAI_API_KEY', 'GLM_API_KEY'],
  glm: ['GLM_API_KEY', 'ZAI_API_KEY'],
};

/** The agent that does the work: the one inside, of a sprite. */
function workingAgent(agent: AgentConfigUnion): InnerAgentConfig {
  return agent.kind === 'sprite' ? agent.agent : agent;
}

export async function checkAgentProgram(loaded: LoadedConfig, context: AnyContext): Promise<Outcome> {
  const { agent: configured } = loaded.config;
  const agent = workingAgent(configured);
  if (agent.kind === 'rlm') return ok('kind "rlm" needs no program of its own');
  if (configured.kind === 'sprite' && configured.image !== undefined && configured.image !== 'host')
    return ok(`kind "${agent.kind}": its program has to be in the image ${quote(configured.image)}`);
  const cwd = loaded.projectRoot;
  const env = { ...context.io.env, ...agent.env };
  if (agent.kind === 'process') return checkCommand(agent.command, cwd, env);
  const { command, install } = CLI_AGENTS[agent.kind];
  const answer = await askVersion(command, { env, cwd, signal: context.signal });
  if (answer.state === 'works') return ok(`kind "${agent.kind}": ${command} starts (${answer.version})`);
  if (answer.state === 'missing') return fail(`kind "${agent.kind}": ${command} is not on PATH`, install);
  return fail(
    `kind "${agent.kind}": ${command} does not start: ${answer.reason}`,
    `install it again: ${install}`,
  );
}

/** A command of the user's is looked for, not run: what it does without arguments is not ours to know. */
function checkCommand(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Outcome {
  const isPath = command.includes('/');
  const candidates = isPath
    ? [resolve(cwd, command)]
    : (env.PATH ?? '')
        .split(delimiter)
        .filter(isAbsolute)
        .map((directory) => join(directory, command));
  const found = candidates.find((path) => isProgram(path));
  if (found !== undefined) return ok(`kind "process": ${found}`);
  const where = isPath ? 'is not a program' : 'is not on PATH';
  return fail(`kind "process": ${quote(command)} ${where}`, 'install it, or set agent.command to its path');
}

function isProgram(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // there, but not executable for us
  }
}

/** Warns only: sprites work without any key. */
export function checkModelKey(loaded: LoadedConfig, context: AnyContext): Outcome {
  const agent = workingAgent(loaded.config.agent);
  const env = { ...context.io.env, ...agent.env };
  if (agent.kind === 'process') return ok('kind "process": its command looks after its own keys');
  if (agent.kind === 'rlm') return checkRlmKey(agent, env);
  const { command, keys, login, loginCommand } = CLI_AGENTS[agent.kind];
  const key = keys.find((name) => env[name]);
  if (key !== undefined) return ok(`kind "${agent.kind}": ${key} is set`);
  const home = userHome(env);
  if (home !== null && existsSync(join(home, login)))
    return ok(`kind "${agent.kind}": ${command} has a login (~/${login})`);
  return warn(
    `kind "${agent.kind}": neither a key nor a login of ${command} is there`,
    `${setKey(keys[0] ?? '')}, or ${loginCommand}`,
  );
}

function checkRlmKey(
  { aiProvider, baseUrl }: RlmAgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): Outcome {
  const keys = aiProvider === undefined ? [...new Set(Object.values(RLM_KEYS).flat())] : RLM_KEYS[aiProvider];
  const key = keys.find((name) => env[name]);
  if (key !== undefined) return ok(`kind "rlm": ${key} is set`);
  if (aiProvider === 'ollama') return ok('kind "rlm": ollama needs no key');
  if (aiProvider === 'openai-compatible' && baseUrl !== undefined)
    return ok(`kind "rlm": ${baseUrl} may need no key`);
  const whose =
    aiProvider === undefined ? 'no model provider has a key' : `no key for "${aiProvider}" is set`;
  return warn(`kind "rlm": ${whose}, so the agent cannot think`, setKey(keys[0] ?? 'ANTHROPIC_API_KEY'));
}

function setKey(name: string): string {
  return `export ${name}=…, or put it in agent.env of .wreckit/config.local.json`;
}
