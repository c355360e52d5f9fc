/** Layers over one another: objects key by key, everything else replaced; a new agent kind starts afresh. */
import { kindOf } from './agent-form.ts';
import { DEFAULT_CONFIG } from './defaults.ts';
import { isJsonObject, type JsonObject, type KeyPath, type Layer } from './layer.ts';

export interface Merged {
  readonly value: JsonObject;
  /** The layer that gave the value at this path, or the last one that gave something below it. */
  layerOf(path: readonly PropertyKey[]): Layer | null;
}

/** Settings that belong to no kind: they stay when a layer changes the kind. */
const COMMON_KEYS = ['env'];

export function mergeLayers(layers: readonly Layer[]): Merged {
  const givers = new Map<string, Layer>();
  let value: JsonObject = {};
  for (const layer of layers) value = mergeObject(value, layer, layer.value, [], givers);
  return {
    value,
    layerOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const layer = givers.get(keyOf(path.slice(0, length)));
        if (layer !== undefined) return layer;
      }
      return null;
    },
  };
}

function mergeObject(
  below: JsonObject,
  layer: Layer,
  above: JsonObject,
  path: KeyPath,
  givers: Map<string, Layer>,
): JsonObject {
  const merged: JsonObject = isAgent(path) ? keptOfAgent(below, above, path) : { ...below };
  givers.set(keyOf(path), layer);
  for (const [key, value] of Object.entries(above)) {
    const keyPath = [...path, key];
    const under = merged[key];
    givers.set(keyOf(keyPath), layer);
    merged[key] = isJsonObject(value)
      ? mergeObject(isJsonObject(under) ? under : {}, layer, value, keyPath, givers)
      : value;
  }
  return merged;
}

function isAgent(path: KeyPath): boolean {
  return path.every((key) => key === 'agent') && (path.length === 1 || path.length === 2);
}

/** What stays of the agent below: all of it, or only the common settings when the kind changes. */
function keptOfAgent(below: JsonObject, above: JsonObject, path: KeyPath): JsonObject {
  // A command alone does not name a kind where a layer below did: it must never undo a sandbox asked for.
  const wanted = below.kind !== undefined ? above.kind : kindOf(above);
  const defaults = path.length === 1 ? DEFAULT_CONFIG.agent.kind : DEFAULT_CONFIG.agent.agent.kind;
  if (wanted === undefined || wanted === null || wanted === (kindOf(below) ?? defaults)) return { ...below };
  const kept: JsonObject = {};
  for (const key of COMMON_KEYS) {
    const value = below[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.map((key) => String(key)).join('\0');
}
