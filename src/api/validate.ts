/** Query and body against a route's schemas; what doesn't fit is told with the place it stands at. */
import type { z } from 'zod';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

/** Of a parameter that is no list the first one counts. Throws `USAGE`. */
export function parseQuery(
  schema: z.ZodObject | null,
  query: URLSearchParams,
  repeated: readonly string[] = [],
): unknown {
  if (schema === null) return undefined;
  const raw: Record<string, string | string[]> = {};
  for (const key of Object.keys(schema.shape)) {
    if (repeated.includes(key)) raw[key] = query.getAll(key);
    else if (query.has(key)) raw[key] = query.get(key) ?? '';
  }
  return checked(schema, raw, 'query');
}

/** Throws `USAGE`. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new WreckitError(
    'USAGE',
    `${where}${path === '' ? '' : ` ${quote(path)}`}: ${issue?.message ?? 'it has the wrong shape'}`,
    { hint: 'see /openapi.json for what this call takes' },
  );
}
