/** One source of settings: a file, the environment, the command line. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Where a key stands: `["agent", "env", "FOO"]`. Arrays are replaced as a whole, so never entered. */
export type KeyPath = readonly string[];

export interface Origin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag';
  /** The file's absolute path, the variable's name, the flag; null for a default. */
  readonly source: string | null;
  /** Of a file, counted from 1. */
  readonly line: number | null;
  readonly column: number | null;
}

export interface Layer {
  readonly value: JsonObject;
  /** The place of a key or, where the layer lacks it, of what is nearest around it. */
  originOf(path: readonly PropertyKey[]): Origin;
}

export const DEFAULT_ORIGIN: Origin = { kind: 'default', source: null, line: null, column: null };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** A setting from outside the files: a variable of the environment or a flag. */
export interface SingleValue {
  readonly path: KeyPath;
  readonly value: JsonValue;
  readonly origin: Origin;
}

export function layerOfValues(values: readonly SingleValue[]): Layer {
  const root: JsonObject = {};
  for (const { path, value } of values) setAt(root, path, value);
  return {
    value: root,
    originOf(path) {
      const wanted = path.map(String);
      const own = values.find((single) => single.path.every((key, index) => key === wanted[index]));
      const below = values.find((single) => wanted.every((key, index) => key === single.path[index]));
      return (own ?? below)?.origin ?? DEFAULT_ORIGIN;
    },
  };
}

function setAt(root: JsonObject, path: KeyPath, value: JsonValue): void {
  let target = root;
  for (const key of path.slice(0, -1)) {
    const next = target[key];
    if (isJsonObject(next)) target = next;
    else {
      const made: JsonObject = {};
      target[key] = made;
      target = made;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) target[last] = value;
}
