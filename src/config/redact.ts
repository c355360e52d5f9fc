/** Settings as they may be shown: secrets replaced as a whole, not even their beginning left. */

export const REDACTED = '[redacted]';

const SECRET_KEY = /(?:^|_)(?:token|secret|password|passwd|credential|api_?key|key)$/i;
const SECRET_KEY_CAMEL = /(?:Token|Secret|Password|Credential|ApiKey)$/;
/** Variables whose values are known to be no secret; every other one is taken for one. */
const PLAIN_VARIABLE =
  /^(?:LANG|LC_[A-Z]+|TZ|TERM|PATH|HOME|NODE_ENV|DEBUG|CI|NO_COLOR|FORCE_COLOR)$|_(?:URL|URI|HOST|PORT|MODEL|REGION|DIR|LEVEL|MODE|TIMEOUT|VERSION)$/;
/** Secrets known by their shape, wherever they stand (arguments, commands). */
const SECRET_SHAPES = [
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{16,}/g,
  /\bglpat-[A-Za-z0-9_-]{12,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/g,
  /\bAKIA[A-Z0-9]{12,}/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{20,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
];
const URL_LOGIN = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const URL_QUERY_SECRET = /([?&](?:[^=&\s]*(?:token|key|secret|password|sig)[^=&\s]*)=)[^&\s#]+/gi;
/** `--api-key=X`, `TOKEN=X`: the name tells that the value is secret. */
const ASSIGNED_SECRET = /((?:token|secret|password|api[_-]?key)["']?\s*[=:]\s*["']?)[^\s"'&]+/gi;

/** Whether the value at this path is a secret by its name. */
export function isSecretKey(path: readonly PropertyKey[]): boolean {
  const name = String(path.at(-1) ?? '');
  if (path.at(-2) === 'env') return !PLAIN_VARIABLE.test(name);
  return SECRET_KEY.test(name) || SECRET_KEY_CAMEL.test(name);
}

export function redactText(text: string): string {
  let shown = text.replace(URL_LOGIN, `$1${REDACTED}@`);
  shown = shown.replace(URL_QUERY_SECRET, `$1${REDACTED}`).replace(ASSIGNED_SECRET, `$1${REDACTED}`);
  for (const shape of SECRET_SHAPES) shown = shown.replace(shape, REDACTED);
  return shown;
}

/** A copy of `value`, which stands at `path`, without secrets. Numbers and booleans are never secrets. */
export function redacted(value: unknown, path: readonly PropertyKey[] = []): unknown {
  if (typeof value === 'string') return isSecretKey(path) ? REDACTED : redactText(value);
  if (Array.isArray(value)) return redactedList(value, path);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redacted(item, [...path, key])]),
  );
}

/** In a list of arguments the value of `--token` is the item after it. */
function redactedList(list: readonly unknown[], path: readonly PropertyKey[]): unknown[] {
  return list.map((item, index) => {
    const before = list[index - 1];
    const isValueOfSecret =
      typeof before === 'string' && /^--?[\w-]*(?:token|secret|password|api-?key)$/i.test(before);
    return isValueOfSecret && typeof item === 'string' ? REDACTED : redacted(item, [...path, index]);
  });
}
