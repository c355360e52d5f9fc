/** `--env` flags: what was written out goes on as it is, what is taken from here goes in a private file. */
import { type EnvFile, writeEnvFile } from '../../agent/wisp-client/env-file.ts';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

export interface EnvironmentFlags {
  /** `NAME=VALUE`, or `NAME` for the value it has here. */
  readonly env?: readonly string[] | undefined;
  readonly envFile?: readonly string[] | undefined;
}

export interface Environment extends Disposable {
  readonly pairs: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  /** One of the files is to be removed. */
  readonly hasPrivateFile: boolean;
}

interface Surroundings {
  readonly io: { readonly env: Readonly<Record<string, string | undefined>> };
  readonly globals: { readonly dryRun?: boolean };
}

/** Throws `USAGE`. Under `--dry-run` no file is made. The file is gone at the end of the scope. */
export function environmentOf(
  { env = [], envFile = [] }: EnvironmentFlags,
  { io, globals }: Surroundings,
): Environment {
  const pairs: Record<string, string> = {};
  const fromHere: Record<string, string> = {};
  for (const spec of env) {
    const at = spec.indexOf('=');
    if (at >= 0) pairs[spec.slice(0, at)] = spec.slice(at + 1);
    else fromHere[spec] = valueHere(spec, io.env);
  }
  const names = Object.keys(fromHere);
  if (names.length === 0)
    return { pairs, files: envFile, hasPrivateFile: false, [Symbol.dispose]: () => undefined };
  const file: EnvFile =
    globals.dryRun === true
      ? { path: `<private file with ${names.join(', ')}>`, [Symbol.dispose]: () => undefined }
      : writeEnvFile(fromHere, io.env);
  const files = [...envFile, file.path];
  return { pairs, files, hasPrivateFile: true, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

function valueHere(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new WreckitError('USAGE', `--env: ${quote(name)} has no value here`, {
    hint: `set it (export ${name}=…), or give it: --env ${name}=VALUE`,
  });
}
