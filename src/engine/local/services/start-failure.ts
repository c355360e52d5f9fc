import { join } from 'node:path';
import { readText } from '../sessions/small-file.ts';

/** Why the runtime could not start a service's command, in its own last words. */
export function startFailure(dir: string): string {
  const line = readText(join(dir, 'runtime.log')).split('\n').at(-1) ?? '';
  const said = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line;
  return said === '' ? '' : `it could not be started: ${said}`;
}
