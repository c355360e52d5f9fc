/** Settings from the environment: `WRECKIT_*`, the sprites token, the model providers' keys. */
import { nearest } from '../nearest.ts';
import type { JsonValue, KeyPath, Origin, SingleValue } from './layer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const TOP_LEVEL: Readonly<Record<string, KeyPath>> = {
  WRECKIT_BASE_BRANCH: ['base_branch'],
  WRECKIT_BRANCH_PREFIX: ['branch_prefix'],
  WRECKIT_MERGE_MODE: ['merge_mode'],
  WRECKIT_MAX_ITERATIONS: ['max_iterations'],
  WRECKIT_TIMEOUT_SECONDS: ['timeout_seconds'],
  WRECKIT_AGENT: ['agent', 'kind'],
  WRECKIT_MODEL: ['agent', 'model'],
  WRECKIT_ENGINE: ['engine'],
};

/** How sprites are made: for the agent when it is a sprite, and for `wreckit sprite` with every agent. */
const SPRITE: Readonly<Record<string, string>> = {
  WRECKIT_WISP_PATH: 'wispPath',
  WRECKIT_MAX_VMS: 'maxVMs',
  WRECKIT_DEFAULT_MEMORY: 'defaultMemory',
  WRECKIT_DEFAULT_CPUS: 'defaultCPUs',
  WRECKIT_SPRITE_TIMEOUT: 'timeout',
  WRECKIT_IMAGE: 'image',
  WRECKIT_NETWORK: 'network',
};

/** Read elsewhere: by the launchers, the entry, the tests. */
const OTHERS = new Set(['WRECKIT_CONFIG', 'WRECKIT_RUNTIME']);
const NUMERIC = new Set(['WRECKIT_MAX_ITERATIONS', 'WRECKIT_MAX_VMS']);

export const PROVIDER_KEYS = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'OPENAI_API_KEY',
  'CODEX_API_KEY',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'ZAI_API_KEY',
  'GLM_API_KEY',
  'OPENROUTER_API_KEY',
  'AMP_API_KEY',
] as const;

export interface EnvironmentSettings {
  readonly values: readonly SingleValue[];
  /** Paths are those of a sprite agent's own settings. */
  readonly spriteValues: readonly SingleValue[];
  readonly notices: readonly string[];
}

export function environmentSettings(env: Environment): EnvironmentSettings {
  const values: SingleValue[] = [];
  const spriteValues: SingleValue[] = [];
  const notices: string[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (!name.startsWith('WRECKIT_') || text === undefined || text === '') continue;
    const value: JsonValue = NUMERIC.has(name) && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    const origin = variableOrigin(name);
    const path = TOP_LEVEL[name];
    const spriteKey = SPRITE[name];
    if (path !== undefined) values.push({ path, value, origin });
    else if (spriteKey !== undefined) spriteValues.push({ path: [spriteKey], value, origin });
    else if (!OTHERS.has(name) && !name.startsWith('WRECKIT_TEST_')) notices.push(unknownVariable(name));
  }
  return { values, spriteValues, notices };
}

export function variableOrigin(name: string): Origin {
  return { kind: 'environment', source: name, line: null, column: null };
}

function unknownVariable(name: string): string {
  const near = nearest(name, [...Object.keys(TOP_LEVEL), ...Object.keys(SPRITE), ...OTHERS]);
  return `${name} in the environment is not a setting and is ignored${near === null ? '' : `: did you mean ${near}?`}`;
}
