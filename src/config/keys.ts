/** The keys each object of the configuration may have: for suggestions, completion and the documentation. */
import { isDeepStrictEqual } from 'node:util';
import { AgentConfigUnionSchema, type WreckitConfig, WreckitConfigSchema } from '../schemas.ts';
import type { IgnoredKey } from './agent-form.ts';
import { DEFAULT_CONFIG } from './defaults.ts';
import { isJsonObject } from './layer.ts';

/** Wreckit's own settings that this program has no use for: accepted, and listed as ignored. */
export const UNUSED_KEYS = ['skills', 'doctor', 'story_scope', 'limits', 'compute'] as const;

/** Known and checked, for other Wreckits read the same files, but of no effect here; with the reason. */
const WITHOUT_EFFECT = {
  merge_mode: 'nothing is merged here: work lands on a branch',
  max_iterations: 'a run is one session of its agent; what limits rlm is agent.maxIterations',
  pr_checks: 'nothing is merged here, so no check is run before',
  branch_cleanup: 'no branch is removed here',
} as const;
const KEYS_WITHOUT_EFFECT = ['merge_mode', 'max_iterations', 'pr_checks', 'branch_cleanup'] as const;

/** Those that ask for something else than the default, which nobody gives. */
export function withoutEffect(config: WreckitConfig): IgnoredKey[] {
  return KEYS_WITHOUT_EFFECT.filter((key) => !isDeepStrictEqual(config[key], DEFAULT_CONFIG[key])).map(
    (key) => ({ path: [key], reason: WITHOUT_EFFECT[key] }),
  );
}

/** Keys of the object at `path` of `input`; of an agent those of its kind. */
export function keysAt(input: unknown, path: readonly PropertyKey[]): string[] {
  const { shape } = WreckitConfigSchema;
  if (path.length === 0) return [...Object.keys(shape), ...UNUSED_KEYS];
  if (path[0] === 'pr_checks') return Object.keys(shape.pr_checks.unwrap().shape);
  if (path[0] === 'branch_cleanup') return Object.keys(shape.branch_cleanup.unwrap().shape);
  let agent: unknown = input;
  for (const key of path) agent = isJsonObject(agent) ? agent[String(key)] : undefined;
  const kind = isJsonObject(agent) ? agent.kind : undefined;
  const schema = AgentConfigUnionSchema.options.find((option) => option.shape.kind.value === kind);
  return schema === undefined ? [] : Object.keys(schema.shape);
}
