/**
 * The configuration's shapes (docs/configuration.md). Imported at run time only where a file, a variable or
 * a flag is to be checked; everybody else imports the types. A message of a rule here continues the sentence
 * `PATH: VALUE …`; the words for zod's own issues are in config/faults.ts.
 */
import { z } from 'zod';
import { DEFAULT_CONFIG, DEFAULT_RLM_AGENT, DEFAULT_SPRITE_AGENT } from './config/defaults.ts';
import { isSpriteName } from './contract/names.ts';
import { parseDurationMs, parseSizeBytes } from './contract/units.ts';

const MIN_MEMORY_BYTES = 16 * 1024 ** 2;
const MAX_MEMORY_BYTES = 16 * 1024 ** 4;
const MAX_CPUS = 1024;
const DAY_SECONDS = 86_400;

/** Text that can be an argument of a program: not empty, no NUL. */
const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), { error: 'has a NUL character in it' });
const texts = z.array(text);

/** Seconds from a number or a duration such as "30s" or "2h". */
function seconds(most: number) {
  const wanted = `is not a duration from 1 s to ${most} s such as 300 or "30s"`;
  return z.union([z.number(), z.string()], { error: wanted }).transform((value, context) => {
    const result = orNaN(() => (typeof value === 'number' ? value : parseDurationMs(value) / 1000));
    if (result >= 1 && result <= most) return result;
    context.addIssue({ code: 'custom', message: wanted });
    return z.NEVER;
  });
}

const memoryText = z.union([z.number(), z.string()]).transform((value, context) => {
  const bytes = orNaN(() => parseSizeBytes(String(value)));
  if (bytes >= MIN_MEMORY_BYTES && bytes <= MAX_MEMORY_BYTES) return String(value);
  context.addIssue({ code: 'custom', message: 'is not a size from 16MiB to 16TiB such as "512MiB"' });
  return z.NEVER;
});

const cpusText = z.union([z.number(), z.string()]).transform((value, context) => {
  const isNumber = /^\d+(\.\d+)?$/.test(String(value));
  if (isNumber && Number(value) >= 0.01 && Number(value) <= MAX_CPUS) return String(value);
  context.addIssue({
    code: 'custom',
    message: `is not a number of CPUs from 0.01 to ${MAX_CPUS} such as "1.5"`,
  });
  return z.NEVER;
});

function orNaN(parse: () => number): number {
  try {
    return parse();
  } catch {
    return Number.NaN; // the caller's own message names the range as well
  }
}

/** What git accepts as (the beginning of) a branch's name. */
const BRANCH = /^(?![-/.])(?!.*(?:\.\.|\/\/|@\{|\.lock$))[^\s~^:?*[\\\x00-\x1f\x7f]+$/;
const DOMAIN = /^(?:\*|(?:\*\.)?(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*)$/i;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const domain = z.string().refine((name) => DOMAIN.test(name) && !/^[\d.]+$/.test(name), {
  error: 'is not a domain such as "registry.npmjs.org" or "*.example.com"',
});

/** A path or pattern below the project: nothing that could lead out of it. */
const projectPath = text.refine((path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'), {
  error: 'is not a path inside the project',
});

const env = z
  .record(
    z.string().regex(ENV_NAME, { error: 'is not the name of a variable' }),
    z.string().refine((value) => !value.includes('\0'), { error: 'has a NUL character in it' }),
  )
  .optional();

const model = text.optional();
/** The session of an earlier run that the agent goes on with. */
const resume = text.optional();
const maxTokens = z.int().min(1).max(10_000_000).optional();

export const ProcessAgentSchema = z.strictObject({
  kind: z.literal('process'),
  command: text,
  args: z.array(z.string()).default([]),
  /** Absent: success is exit 0. */
  completion_signal: text.optional(),
  env,
});

export const ClaudeSdkAgentSchema = z.strictObject({
  kind: z.literal('claude_sdk'),
  model,
  max_tokens: maxTokens,
  tools: texts.optional(),
  resume,
  env,
});

export const AmpSdkAgentSchema = z.strictObject({ kind: z.literal('amp_sdk'), model, resume, env });
export const CodexSdkAgentSchema = z.strictObject({ kind: z.literal('codex_sdk'), model, resume, env });
export const OpencodeSdkAgentSchema = z.strictObject({ kind: z.literal('opencode_sdk'), model, resume, env });

export const RlmAgentSchema = z.strictObject({
  kind: z.literal('rlm'),
  model,
  /** `chat`: a loop of tool calls; `rlm`: the model writes code over its context; `auto`, also when absent: by size. */
  mode: z.enum(['auto', 'chat', 'rlm']).optional(),
  maxIterations: z.int().min(1).max(100_000).default(DEFAULT_RLM_AGENT.maxIterations),
  /** Absent: chosen by the model key that is there. */
  aiProvider: z
    .enum(['anthropic', 'openai', 'google', 'openai-compatible', 'ollama', 'zai', 'glm'])
    .optional(),
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'is not a URL such as "https://api.example.com"' })
    .optional(),
  /** False: answers are asked for whole, of a provider or gateway that can't stream. */
  stream: z.boolean().optional(),
  /** True: all its tools run inside a sprite. */
  sandbox: z.boolean().optional(),
  wispPath: text.optional(),
  tools: texts.optional(),
  max_tokens: maxTokens,
  /** The budget of the whole tree of agents; an absent one is not limited by the configuration. */
  maxVMs: z.int().min(1).max(1000).optional(),
  maxDepth: z.int().min(0).max(20).optional(),
  maxConcurrentExecs: z.int().min(1).max(1000).optional(),
  maxSeconds: seconds(30 * DAY_SECONDS).optional(),
  maxTotalTokens: z.int().min(1).optional(),
  maxCostUsd: z.number().positive().optional(),
  /** Mode `rlm`: most time that the code of one turn may use by itself; 120 when absent. */
  maxCodeSeconds: seconds(DAY_SECONDS).optional(),
  env,
});

/** Every kind that can run inside a sprite. */
export const InnerAgentSchema = z.discriminatedUnion('kind', [
  ProcessAgentSchema,
  ClaudeSdkAgentSchema,
  AmpSdkAgentSchema,
  CodexSdkAgentSchema,
  OpencodeSdkAgentSchema,
  RlmAgentSchema,
]);

export const SpriteAgentSchema = z
  .strictObject({
    kind: z.literal('sprite'),
    agent: InnerAgentSchema.prefault({ kind: 'rlm' }),
    model,
    max_tokens: maxTokens,
    /** Absent: the bundled wisp. */
    wispPath: text.optional(),
    /** Absent: one sprite per run. */
    vmName: z
      .string()
      .refine(isSpriteName, { error: 'is not a sprite name: 1 to 63 of a-z, 0-9 and "-"' })
      .optional(),
    maxVMs: z.int().min(1).max(1000).default(DEFAULT_SPRITE_AGENT.maxVMs),
    defaultMemory: memoryText.default(DEFAULT_SPRITE_AGENT.defaultMemory),
    defaultCPUs: cpusText.default(DEFAULT_SPRITE_AGENT.defaultCPUs),
    /** Seconds per wisp call. */
    timeout: seconds(DAY_SECONDS).default(DEFAULT_SPRITE_AGENT.timeout),
    token: text.optional(),
    image: text.optional(),
    network: z.enum(['open', 'filtered', 'none']).optional(),
    allow: z.array(domain).default(() => []),
    syncEnabled: z.boolean().default(DEFAULT_SPRITE_AGENT.syncEnabled),
    syncExcludePatterns: z.array(text).default(() => [...DEFAULT_SPRITE_AGENT.syncExcludePatterns]),
    syncOnSuccess: z.boolean().default(DEFAULT_SPRITE_AGENT.syncOnSuccess),
    /** Files git would not track that are pushed all the same. */
    include: z.array(projectPath).default(() => []),
    /** Commits of history the sprite gets, newest first; absent: 50. */
    historyDepth: z.int().min(1).optional(),
    /** Shell commands run once per sprite, in the project, before the agent. */
    setup: texts.default(() => []),
    keep: z.enum(['always', 'on-failure', 'never']).default(DEFAULT_SPRITE_AGENT.keep),
    land: z.enum(['branch', 'apply', 'patch', 'none']).default(DEFAULT_SPRITE_AGENT.land),
    env,
  })
  .refine(({ allow, network }) => allow.length === 0 || network === undefined || network === 'filtered', {
    path: ['allow'],
    error: 'has domains, which only "network": "filtered" can let through',
  });

export const AgentConfigUnionSchema = z.discriminatedUnion('kind', [
  ProcessAgentSchema,
  ClaudeSdkAgentSchema,
  AmpSdkAgentSchema,
  CodexSdkAgentSchema,
  OpencodeSdkAgentSchema,
  RlmAgentSchema,
  SpriteAgentSchema,
]);

const { pr_checks: prChecks, branch_cleanup: branchCleanup } = DEFAULT_CONFIG;

export const WreckitConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  schema_version: z.literal(1).default(1),
  base_branch: z
    .string()
    .regex(BRANCH, { error: 'is not the name of a branch' })
    .default(DEFAULT_CONFIG.base_branch),
  branch_prefix: z
    .string()
    .refine((prefix) => prefix === '' || BRANCH.test(prefix), {
      error: 'is not the beginning of a branch name',
    })
    .default(DEFAULT_CONFIG.branch_prefix),
  merge_mode: z.enum(['pr', 'direct']).default(DEFAULT_CONFIG.merge_mode),
  /** Absent: wisp's own choice, which is the local one. */
  engine: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'is not the name of an engine such as "local" or "cloud"' })
    .optional(),
  agent: AgentConfigUnionSchema.prefault({ kind: 'sprite' }),
  max_iterations: z.int().min(1).max(1_000_000).default(DEFAULT_CONFIG.max_iterations),
  timeout_seconds: seconds(30 * DAY_SECONDS).default(DEFAULT_CONFIG.timeout_seconds),
  pr_checks: z
    .strictObject({
      commands: texts.default(() => []),
      secret_scan: z.boolean().default(prChecks.secret_scan),
      require_all_stories_done: z.boolean().default(prChecks.require_all_stories_done),
      allow_unsafe_direct_merge: z.boolean().default(prChecks.allow_unsafe_direct_merge),
      allowed_remote_patterns: texts.default(() => []),
    })
    .prefault({}),
  branch_cleanup: z
    .strictObject({
      enabled: z.boolean().default(branchCleanup.enabled),
      delete_remote: z.boolean().default(branchCleanup.delete_remote),
    })
    .prefault({}),
});

export type ProcessAgentConfig = z.infer<typeof ProcessAgentSchema>;
export type ClaudeSdkAgentConfig = z.infer<typeof ClaudeSdkAgentSchema>;
export type AmpSdkAgentConfig = z.infer<typeof AmpSdkAgentSchema>;
export type CodexSdkAgentConfig = z.infer<typeof CodexSdkAgentSchema>;
export type OpencodeSdkAgentConfig = z.infer<typeof OpencodeSdkAgentSchema>;
export type RlmAgentConfig = z.infer<typeof RlmAgentSchema>;
export type InnerAgentConfig = z.infer<typeof InnerAgentSchema>;
export type SpriteAgentConfig = z.infer<typeof SpriteAgentSchema>;
export type AgentConfigUnion = z.infer<typeof AgentConfigUnionSchema>;
export type AgentKind = AgentConfigUnion['kind'];
export type WreckitConfig = z.infer<typeof WreckitConfigSchema>;
