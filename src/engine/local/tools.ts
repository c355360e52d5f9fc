/** Host programs the local engine starts, found once per process, and only in system directories. */
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, WreckitError } from '../../errors.ts';

/**
 * Never the caller's PATH: an engine that runs as root must not start what a project put into
 * `node_modules/.bin`. WISP_RUNTIME names another OCI runtime by its absolute path.
 */
const SYSTEM_PATH = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/run/current-system/sw/bin',
];

export function findTool(name: string): string | null {
  for (const dir of SYSTEM_PATH) {
    const path = join(dir, name);
    if (isExecutable(path)) return path;
  }
  return null;
}

/** Throws `ENGINE_UNAVAILABLE` with the package that has it. */
export function requireTool(name: string, debianPackage: string): string {
  const path = findTool(name);
  if (path !== null) return path;
  throw new WreckitError('ENGINE_UNAVAILABLE', `local engine: the program "${name}" is not installed`, {
    hint: `install it: apt-get install -y ${debianPackage}`,
  });
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (errnoOf(error) !== undefined) return false;
    throw error;
  }
}

/** The environment host programs get: nothing of the caller's but what they need. */
export const TOOL_ENV: Readonly<Record<string, string>> = { PATH: SYSTEM_PATH.join(':'), LC_ALL: 'C' };
