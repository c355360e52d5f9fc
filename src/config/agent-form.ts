/**
 * The forms an agent's settings come in: with `kind`, and the older one without it, `{mode?, command, args?,
 * completion_signal?}`. Both end as an object with `kind`, before any schema sees it.
 */
import { DEFAULT_CONFIG } from './defaults.ts';
import { isJsonObject, type JsonObject, type JsonValue, type KeyPath } from './layer.ts';

/** Settings of the older form, which `kind` makes meaningless (but for `process`, which has three of them). */
const OLD_KEYS = ['mode', 'command', 'args', 'completion_signal'];
const OLD_MODES = new Set<unknown>(['process', 'sdk']);

export interface IgnoredKey {
  readonly path: KeyPath;
  readonly reason: string;
}

export interface CompleteAgent {
  readonly agent: JsonObject;
  readonly ignored: readonly IgnoredKey[];
}

/** The kind an agent's settings ask for: by name or by the older form; null when they leave it open. */
export function kindOf(agent: JsonObject): JsonValue {
  if (agent.kind !== undefined) return agent.kind;
  if (agent.mode === 'sdk') return 'claude_sdk';
  if (agent.mode !== undefined || agent.command !== undefined) return 'process';
  return null;
}

/** Adds the kind where it is missing and drops what it makes meaningless; `path` is the agent's own. */
export function completeAgent(settings: JsonObject, path: KeyPath): CompleteAgent {
  const fallback = path.length > 1 ? DEFAULT_CONFIG.agent.agent.kind : DEFAULT_CONFIG.agent.kind;
  const kind = settings.kind === undefined ? (kindOf(settings) ?? fallback) : settings.kind;
  const agent: JsonObject = { ...settings, kind };
  const ignored: IgnoredKey[] = [];
  for (const key of OLD_KEYS) {
    if (!isMeaningless(key, agent[key], kind)) continue;
    delete agent[key];
    const isOldForm = settings.kind === undefined;
    const reason = isOldForm
      ? `the older form of kind "${String(kind)}" has no use for it`
      : `"kind": "${String(kind)}" wins over it`;
    ignored.push({ path: [...path, key], reason });
  }
  if (kind === 'sprite' && isJsonObject(agent.agent)) {
    const inner = completeAgent(agent.agent, [...path, 'agent']);
    agent.agent = inner.agent;
    ignored.push(...inner.ignored);
  }
  return { agent, ignored };
}

function isMeaningless(key: string, value: unknown, kind: unknown): boolean {
  if (value === undefined) return false;
  if (kind === 'process') return key === 'mode' && OLD_MODES.has(value);
  return key === 'mode' ? kind !== 'rlm' || OLD_MODES.has(value) : true;
}
