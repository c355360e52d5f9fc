/** What the user has told git about themselves: read with their own configuration, nothing of it is run. */
import fs from 'node:fs';
import path from 'node:path';
import { decodeUtf8 } from '../process/text.ts';
import { askAsUser } from './git-repository.ts';

export interface GitUser {
  readonly name: string | null;
  readonly email: string | null;
  /** Their own list of ignored files. */
  readonly excludesFile: string | null;
}

const KEYS = '^(core\\.excludesfile|user\\.name|user\\.email)$';

export async function readGitUser(root: string, signal?: AbortSignal): Promise<GitUser> {
  const answer = await askAsUser(root, ['config', '-z', '--type=path', '--get-regexp', KEYS], signal);
  signal?.throwIfAborted();
  const settings = new Map<string, string>();
  for (const field of answer.failed ? [] : decodeUtf8(answer.stdout).split('\0')) {
    const lineEnd = field.indexOf('\n');
    if (lineEnd > 0) settings.set(field.slice(0, lineEnd), field.slice(lineEnd + 1));
  }
  return {
    name: settings.get('user.name') ?? null,
    email: settings.get('user.email') ?? null,
    excludesFile: settings.get('core.excludesfile') ?? defaultExcludesFile(),
  };
}

/** Where git looks when `core.excludesFile` is not set. */
function defaultExcludesFile(): string | null {
  const { XDG_CONFIG_HOME, HOME } = process.env;
  const configHome = XDG_CONFIG_HOME || (HOME ? path.join(HOME, '.config') : undefined);
  const file = configHome === undefined ? undefined : path.join(configHome, 'git', 'ignore');
  return file !== undefined && fs.existsSync(file) ? file : null;
}
