/** The keys each object of the configuration may have: for suggestions, completion and the documentation. */
import { AgentConfigUnionSchema, WreckitConfigSchema } from '../schemas.ts';
import { isJsonObject } from './layer.ts';

/** Wreckit's own settings that this program has no use for: accepted, and listed as ignored. */
export const UNUSED_KEYS = ['skills', 'doctor', 'story_scope', 'limits', 'compute'] as const;

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
