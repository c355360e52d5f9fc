/** What a program inside complained about, as an errno. Programs run with LC_ALL=C, so their words are known. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { decodeUtf8 } from '../../process/text.ts';

/** glibc's words, then musl's and those of shells and tools that have their own. */
const ERRNO_OF: Readonly<Record<string, string>> = {
  'no such file or directory': 'ENOENT',
  'directory nonexistent': 'ENOENT',
  'nonexistent directory': 'ENOENT',
  'permission denied': 'EACCES',
  'operation not permitted': 'EPERM',
  'not a directory': 'ENOTDIR',
  'is a directory': 'EISDIR',
  'file exists': 'EEXIST',
  'directory not empty': 'ENOTEMPTY',
  'too many levels of symbolic links': 'ELOOP',
  'symbolic link loop': 'ELOOP',
  'no space left on device': 'ENOSPC',
  'disk quota exceeded': 'EDQUOT',
  'quota exceeded': 'EDQUOT',
  'file too large': 'EFBIG',
  'read-only file system': 'EROFS',
  'file name too long': 'ENAMETOOLONG',
  'filename too long': 'ENAMETOOLONG',
  'invalid cross-device link': 'EXDEV',
  'cross-device link': 'EXDEV',
  'device or resource busy': 'EBUSY',
  'resource busy': 'EBUSY',
  'text file busy': 'ETXTBSY',
  'invalid argument': 'EINVAL',
  'input/output error': 'EIO',
  'i/o error': 'EIO',
};

const SAYS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'it is not permitted',
  ENOTDIR: 'a part of it is not a directory',
  EISDIR: 'is a directory',
  EEXIST: 'there is something of that name already',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'it leads through too many symbolic links',
  ENOSPC: 'no space is left',
  EDQUOT: 'no space is left',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'a name in it is too long',
  EXDEV: 'it lies on another file system',
  EBUSY: 'it is in use',
  EINVAL: 'the operation makes no sense for it',
};

/** The line a script of ours prints where no program would name the errno: see scripts.ts. */
const OWN_MARK = /^wisp-errno: (E[A-Z0-9]+)$/;

/** GNU's words, and busybox's. */
const NO_ACCOUNT = /^chown: (invalid|unknown) (user|group)/;

/** The errno of the last complaint that has one, or null. */
export function errnoFrom(stderr: Uint8Array): string | null {
  const lines = decodeUtf8(stderr).trimEnd().split('\n').reverse();
  for (const line of lines) {
    const own = OWN_MARK.exec(line)?.[1];
    if (own !== undefined) return own;
    if (line.includes(' to a subdirectory of itself') || NO_ACCOUNT.test(line)) return 'EINVAL';
    const words = line.slice(line.lastIndexOf(': ') + 2).toLowerCase();
    const errno = ERRNO_OF[words.replace(/^(cannot|can't) \w+: /, '')];
    if (errno !== undefined) return errno;
  }
  return null;
}

/** What fixes it is another path, mode or user, except where the disk is full. */
export function pathError(doing: string, path: string, errno: string): WreckitError {
  const says = SAYS[errno] ?? errno;
  return new WreckitError('PATH_INVALID', `${doing} ${quote(path)}: ${says}`, {
    hint: hintFor(errno),
    details: { path, errno },
  });
}

function hintFor(errno: string): string {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'remove something in the sprite, or make room on this machine';
    case 'EACCES':
    case 'EPERM':
      return 'files are reached as user "sprite"; as root use: wisp exec --user root NAME -- CMD';
    case 'ENOTEMPTY':
      return 'remove it with all it holds: wisp fs rm --recursive NAME PATH';
    case 'EISDIR':
      return 'name a file in it';
    default:
      return 'see what is there: wisp fs ls NAME DIR';
  }
}
