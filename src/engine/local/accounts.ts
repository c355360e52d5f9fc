/** The sprite's own /etc/passwd and friends: the base's entries and one for `sprite`, no passwords. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';

const MAX_ACCOUNT_FILE_BYTES = 1024 * 1024;
/** Outside the ranges of people (to 60000), systemd-homed (to 60577) and systemd's dynamic users (from 61184). */
const FIRST_SPRITE_ID = 60_600;

export interface SpriteUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user id that neither the host nor the base has given to somebody. */
export function chooseSpriteUser(etcDirs: readonly string[]): SpriteUser {
  const taken = new Set<string | undefined>();
  for (const etc of etcDirs) {
    for (const file of ['passwd', 'group']) {
      for (const line of lines(readAccountFile(join(etc, file)))) taken.add(line.split(':')[2]);
    }
  }
  let id = FIRST_SPRITE_ID;
  while (taken.has(String(id))) id += 1;
  return { uid: id, gid: id };
}

/** File name → content, to be put into the sprite's /etc. */
export function accountFiles(etcDir: string, user: SpriteUser, shell: string): ReadonlyMap<string, string> {
  const passwd = lines(readAccountFile(join(etcDir, 'passwd'))).filter((line) => !line.startsWith('sprite:'));
  const group = lines(readAccountFile(join(etcDir, 'group'))).filter((line) => !line.startsWith('sprite:'));
  if (!passwd.some((line) => line.startsWith('root:'))) passwd.unshift('root:x:0:0:root:/root:/bin/sh');
  if (!group.some((line) => line.startsWith('root:'))) group.unshift('root:x:0:');
  // First of all entries, so that a rootless sprite, where both are user 0, calls itself `sprite`.
  const entries = [`sprite:x:${user.uid}:${user.gid}:sprite:/home/sprite:${shell}`, ...passwd];
  const names = entries.map((line) => line.split(':')[0]);
  const groups = [`sprite:x:${user.gid}:`, ...group];
  return new Map([
    ['passwd', text(entries)],
    ['group', text(groups)],
    ['shadow', text(names.map((name) => `${name}:*:19000:0:99999:7:::`))],
    ['gshadow', text(groups.map((line) => `${line.split(':')[0]}:*::`))],
  ]);
}

/** Content of an account file; empty where there is none, or where it is not a plain file (an image's trick). */
function readAccountFile(path: string): string {
  if (lstatSync(join(path, '..'), { throwIfNoEntry: false })?.isDirectory() !== true) return '';
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== undefined) return '';
    throw error;
  }
  try {
    const stats = fstatSync(fd);
    return stats.isFile() && stats.size <= MAX_ACCOUNT_FILE_BYTES ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}

function lines(content: string): string[] {
  return content.split('\n').filter((line) => line.trim() !== '');
}

function text(entries: readonly string[]): string {
  return `${entries.join('\n')}\n`;
}
