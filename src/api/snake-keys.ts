/** Clients differ in how they spell keys: `ramMB`, `httpPort`, `http_port`. Here all of them are the last. */

/** `kept` names members whose own keys are data, not names of ours. */
export function snakeKeys(value: unknown, kept: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item) => snakeKeys(item, kept));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const snake = snakeKey(key);
      return [snake, kept.includes(snake) ? item : snakeKeys(item, kept)];
    }),
  );
}

/** `ramMB` → `ram_mb`, `limitMB` → `limit_mb`, `noNewPrivileges` → `no_new_privileges`. */
function snakeKey(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
