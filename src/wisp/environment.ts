/** The environment of a command, from `--env-file`, then `--env`, the later winning. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { parseEnvFile } from './env-file.ts';

export interface EnvironmentFlags {
  readonly env?: readonly string[] | undefined;
  readonly envFile?: readonly string[] | undefined;
}

interface Surroundings {
  readonly cwd: string;
  readonly io: { readonly env: Readonly<Record<string, string | undefined>> };
}

const MAX_ENV_FILE_BYTES = 1024 * 1024;

/** Throws `USAGE`. */
export function environmentOf(
  { env = [], envFile = [] }: EnvironmentFlags,
  { cwd, io }: Surroundings,
): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const file of envFile) Object.assign(merged, readEnvFile(resolve(cwd, file), file));
  for (const spec of env) {
    const at = spec.indexOf('=');
    const name = at === -1 ? spec : spec.slice(0, at);
    const value = at === -1 ? io.env[name] : spec.slice(at + 1);
    if (value === undefined) {
      throw new WreckitError('USAGE', `--env: ${quote(name)} has no value here`, {
        hint: `set it (export ${name}=…), or give it: --env ${name}=VALUE`,
      });
    }
    merged[name] = value;
  }
  return merged;
}

function readEnvFile(path: string, shown: string): Record<string, string> {
  const hint = 'give a text file of NAME=VALUE lines';
  try {
    const stat = statSync(path);
    if (stat.isDirectory() || stat.size > MAX_ENV_FILE_BYTES) {
      const problem = stat.isDirectory() ? 'is a directory' : `has more than ${MAX_ENV_FILE_BYTES} bytes`;
      throw new WreckitError('USAGE', `--env-file: ${quote(shown)} ${problem}`, { hint });
    }
    return parseEnvFile(readFileSync(path), shown);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (thrown instanceof WreckitError || errno === undefined) throw thrown;
    throw new WreckitError('USAGE', `--env-file: ${quote(shown)} can't be read: ${errno}`, {
      hint,
      cause: thrown,
    });
  }
}
