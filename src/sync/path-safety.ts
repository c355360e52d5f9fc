/** Which paths of a sprite may be written on this machine. Everything else is refused by name and reason. */
import { type BytePath, bytesOfPath } from './byte-path.ts';

const MAX_PATH_BYTES = 3500;
const MAX_NAME_BYTES = 255;
/** Characters HFS+ ignores when it compares names: `.g\u200cit` is `.git` there. */
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;
const WINDOWS_RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * True for every spelling that some file system takes for `.git`: other case, NTFS short names (`git~1`),
 * trailing dots and spaces, alternate streams (`.git::$INDEX_ALLOCATION`), HFS+'s ignored characters.
 */
export function isGitName(name: BytePath): boolean {
  const text = bytesOfPath(name).toString('utf8').replace(HFS_IGNORED, '').toLowerCase();
  // A backslash is a separator on Windows, a colon begins a stream's name.
  return text.split(/[\\:]/).some((part) => /^(\.git|git~[0-9]+)[. ]*$/.test(part));
}

/** Why `path` may not be written here; null when it may. `platform` as in `process.platform`. */
export function pathFault(path: BytePath, platform: string = process.platform): string | null {
  if (path === '') return 'has no name';
  if (path.includes('\0')) return 'has a NUL in its name';
  if (path.startsWith('/')) return 'has an absolute name';
  if (path.length > MAX_PATH_BYTES) return `has a name of ${path.length} bytes`;
  for (const name of path.split('/')) {
    const fault = nameFault(name, platform);
    if (fault !== null) return fault;
  }
  return null;
}

function nameFault(name: BytePath, platform: string): string | null {
  if (name === '' || name === '.') return 'has an empty name part';
  if (name === '..') return 'has ".." in its name';
  if (name.length > MAX_NAME_BYTES) return `has a name part of ${name.length} bytes`;
  if (isGitName(name)) return "would be git's own directory";
  if (platform !== 'win32') return null;
  if (/[\\:*?"<>|\x00-\x1f]/.test(name)) return 'has a character that Windows does not allow';
  if (/[. ]$/.test(name) || WINDOWS_RESERVED.test(name)) return 'has a name that Windows reserves';
  return null;
}

/** Files git itself reads rules from: a link in their place would make it read something else. */
export function isGitRuleFile(path: BytePath): boolean {
  return /(^|\/)\.(gitattributes|gitignore|gitmodules|mailmap)$/i.test(path);
}

/**
 * What wreckit keeps in the project for itself, and what says how the next run is sandboxed on this machine:
 * never sent, never taken back.
 */
export function isPrivateToHost(path: BytePath): boolean {
  return /^\.wreckit\/(sync|runs)(\/|$)/i.test(path) || /(^|\/)\.wreckit\/config\.local\.json$/i.test(path);
}

/**
 * True for a file or link that wreckit would read settings from, at the top and in any directory of the project:
 * settings name programs that run on this machine. `.wreckit` itself as well: a link there leads to others.
 */
export function isWreckitSettings(path: BytePath): boolean {
  const text = bytesOfPath(path).toString('utf8').replace(HFS_IGNORED, '');
  return /(^|\/)(\.wreckitrc|\.wreckit(\/config[^/]*\.json)?)$/i.test(text);
}

/** Key under which two names are the same on a file system that ignores case (or normalises Unicode). */
export function caseKey(path: BytePath): string {
  return bytesOfPath(path).toString('utf8').normalize('NFC').toLowerCase();
}
