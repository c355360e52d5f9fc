/** Lists in the answers of a wisp program. */
import { isObject } from './json-value.ts';
import { quote } from './names.ts';

export interface Normalised<T> {
  readonly items: T[];
  readonly warnings: readonly string[];
}

/** An array, `{KEY:[…]}` or `{data:{KEY:[…]}}`; undefined where there is none. */
export function listIn(data: unknown, key: string): readonly unknown[] | undefined {
  if (Array.isArray(data)) return data;
  if (!isObject(data)) return undefined;
  if (Array.isArray(data[key])) return data[key];
  return isObject(data.data) || Array.isArray(data.data) ? listIn(data.data, key) : undefined;
}

/** What `read` does not understand is left out and named. */
export function collect<T>(
  raw: readonly unknown[],
  read: (item: unknown) => T | undefined,
  what: string,
): Normalised<T> {
  const items: T[] = [];
  const warnings: string[] = [];
  for (const entry of raw) {
    const item = read(entry);
    if (item !== undefined) items.push(item);
    else warnings.push(`${what} was left out: ${quote(JSON.stringify(entry) ?? String(entry))}`);
  }
  return { items, warnings };
}
