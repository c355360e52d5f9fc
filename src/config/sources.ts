/** Where settings are looked for: which files, which variables, which flags. Nothing is read here. */
import { lstatSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { userHome } from '../process/user-home.ts';
import { type Environment, type EnvironmentSettings, environmentSettings } from './environment.ts';
import type { JsonValue, KeyPath, Origin, SingleValue } from './layer.ts';
import { projectRoot } from './project-root.ts';

export interface LoadConfigOptions {
  /** Absolute. The project's root is looked for from here. */
  readonly cwd: string;
  readonly env: Environment;
  /** `--config`: read instead of the project's files; relative to `cwd`. */
  readonly configFile?: string | undefined;
  /** Settings given as flags, the highest layer. */
  readonly flags?: readonly FlagValue[] | undefined;
}

export interface FlagValue {
  /** As the user wrote it: `--agent`. */
  readonly flag: string;
  readonly path: KeyPath;
  readonly value: JsonValue;
}

export interface ConfigFile {
  readonly path: string;
  /** As people know it: relative to the working directory, or `~/.wreckitrc`. */
  readonly label: string;
}

export interface Sources {
  readonly cwd: string;
  readonly projectRoot: string;
  /** Those that exist, lowest layer first. */
  readonly files: readonly ConfigFile[];
  readonly environment: EnvironmentSettings;
  readonly flags: readonly SingleValue[];
}

/** Throws `CONFIG_INVALID` for a file that was asked for and is not there. */
export function configSources({ cwd, env, configFile, flags = [] }: LoadConfigOptions): Sources {
  const home = userHome(env);
  const root = projectRoot(cwd, home);
  const personal = home === null ? [] : [{ path: join(home, '.wreckitrc'), label: '~/.wreckitrc' }];
  const asked = configFile ?? (env.WRECKIT_CONFIG || undefined);
  const files = asked === undefined ? projectFiles(root, cwd) : [askedFile(asked, cwd)];
  return {
    cwd,
    projectRoot: root,
    files: [...personal, ...files.filter(({ path }) => path !== personal[0]?.path)].filter(({ path }) =>
      isThere(path),
    ),
    environment: environmentSettings(env),
    flags: flags.map(({ flag, path, value }) => ({ path, value, origin: flagOrigin(flag) })),
  };
}

function projectFiles(root: string, cwd: string): ConfigFile[] {
  const names = [join('.wreckit', 'config.json'), '.wreckitrc', join('.wreckit', 'config.local.json')];
  return names.map((name) => {
    const path = join(root, name);
    return { path, label: relative(cwd, path) };
  });
}

function askedFile(file: string, cwd: string): ConfigFile {
  const path = resolve(cwd, file);
  if (isThere(path)) return { path, label: file };
  throw new WreckitError('CONFIG_INVALID', `config: there is no file ${quote(file)}`, {
    hint: 'give --config (or WRECKIT_CONFIG) the path of a file, or leave it out',
    details: { file: path },
  });
}

/** A link that leads nowhere is there: it was meant to be read. So may be what is in a directory closed to us. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return true;
    if (errnoOf(error) !== 'ENOTDIR') throw error;
    const directory = dirname(path);
    throw new WreckitError('CONFIG_INVALID', `config: ${quote(directory)} is not a directory`, {
      hint: 'move it away: wreckit keeps its settings and records there',
      details: { file: directory },
      cause: error,
    });
  }
}

function flagOrigin(flag: string): Origin {
  return { kind: 'flag', source: flag, line: null, column: null };
}
