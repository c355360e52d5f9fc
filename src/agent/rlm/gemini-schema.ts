/**
 * Gemini takes a part of JSON Schema for a function's parameters and refuses whole requests for the rest
 * (ai.google.dev/api/caching#Schema). The tools check their arguments themselves, so less is enough here.
 */
import type { JsonSchema } from './tool.ts';

type Schema = Readonly<Record<string, unknown>>;

const KEYWORDS = new Set([
  ...['type', 'format', 'title', 'description', 'nullable', 'enum', 'default', 'example', 'anyOf'],
  ...['properties', 'required', 'propertyOrdering', 'minProperties', 'maxProperties'],
  ...['items', 'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern', 'minimum', 'maximum'],
]);

/** undefined: the function has no parameters, which Gemini wants left out. */
export function geminiParameters(parameters: JsonSchema): Schema | undefined {
  return withoutFreeObjects(parameters);
}

/** undefined: an object that names no properties, for which Gemini has no word. */
function withoutFreeObjects(schema: Schema): Schema | undefined {
  const kept: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) if (KEYWORDS.has(keyword)) kept[keyword] = value;
  if (isSchema(schema.items)) kept.items = withoutFreeObjects(schema.items) ?? { type: 'string' };
  if (Array.isArray(schema.anyOf))
    kept.anyOf = schema.anyOf.flatMap((each) => withoutFreeObjects(each as Schema) ?? []);
  if (schema.type !== 'object') return kept;
  const properties = Object.entries(isSchema(schema.properties) ? schema.properties : {}).flatMap(
    ([name, value]) => {
      const inner = withoutFreeObjects(value as Schema);
      return inner === undefined ? [] : [[name, inner] as const];
    },
  );
  if (properties.length === 0) return undefined;
  kept.properties = Object.fromEntries(properties);
  const names = new Set(properties.map(([name]) => name));
  if (Array.isArray(schema.required)) kept.required = schema.required.filter((name) => names.has(name));
  return kept;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
