/**
 * The built-in configuration, the layer below every file. Written out so that a project without any
 * configuration costs no schema library at start; a test holds it against `WreckitConfigSchema.parse({})`.
 */

const empty: string[] = [];

export const DEFAULT_RLM_AGENT = { kind: 'rlm', maxIterations: 100 } as const;
/** Of a tree of agents, where nothing else is configured. */
export const DEFAULT_MAX_DEPTH = 2;
export const DEFAULT_MAX_EXECS = 16;

export const DEFAULT_SPRITE_AGENT = {
  kind: 'sprite' as const,
  agent: DEFAULT_RLM_AGENT,
  maxVMs: 5,
  defaultMemory: '512MiB',
  defaultCPUs: '1',
  timeout: 300,
  allow: empty,
  syncEnabled: true,
  syncExcludePatterns: ['node_modules', '.DS_Store'],
  syncOnSuccess: true,
  include: empty,
  setup: empty,
  keep: 'on-failure' as const,
  land: 'branch' as const,
};

export const DEFAULT_CONFIG = {
  schema_version: 1 as const,
  base_branch: 'main',
  branch_prefix: 'wreckit/',
  merge_mode: 'pr' as const,
  agent: DEFAULT_SPRITE_AGENT,
  max_iterations: 100,
  timeout_seconds: 3600,
  pr_checks: {
    commands: empty,
    secret_scan: false,
    require_all_stories_done: true,
    allow_unsafe_direct_merge: false,
    allowed_remote_patterns: empty,
  },
  branch_cleanup: { enabled: true, delete_remote: true },
};
