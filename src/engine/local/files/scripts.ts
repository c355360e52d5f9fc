/**
 * The shell programs that reach a sprite's files from inside. They are constants: paths, modes and patterns
 * arrive as positional parameters and contents on stdin, so nothing a user or a sprite named is ever parsed.
 * Plain POSIX shell with what GNU coreutils, GNU findutils, GNU tar and busybox have in common. Every path
 * is absolute, hence never taken for an option. Where a program wouldn't name the errno, the last line on
 * stderr is `wisp-errno: NAME`.
 */

const PRELUDE = `
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
fail() { echo "wisp-errno: $1" >&2; exit 1; }
`;

/** Complains as `ls` does where nothing is there, or it can't be reached. */
const MUST_BE_THERE = `ls -d "$1" > /dev/null || exit`;

/** `$1` path. */
export const READ = `${PRELUDE}
exec cat "$1"`;

/**
 * `$1` path, `$2` mode, `$3` a name nobody else has. Through a link to its target, as every writer does. The rename happens only once
 * the size could be told: with the caller dead (its end of stdin closes as it does at the end of the content)
 * the pipe is broken and the half content goes away.
 */
export const WRITE = `${PRELUDE}
target=$1
if [ -L "$target" ]; then
  target=$(readlink -f "$1" && echo x) || fail ENOENT
  target=\${target%??}
fi
[ ! -d "$target" ] || fail EISDIR
dir=\${target%/*}
if [ -e "$dir" ] && [ ! -d "$dir" ]; then fail ENOTDIR; fi
mkdir -p "$dir/" || exit
part=$dir/.wisp-$3
trap 'rm -f "$part"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
(umask 077; set -C; : > "$part") || exit
cat > "$part" || exit
chmod "$2" "$part" || exit
wc -c < "$part" || exit
mv -f "$part" "$target"`;

/**
 * `$1` path: `in` and a directory's entries, or `at` and the one entry of what is no directory. NUL-ended
 * records of find's type letter, mode, size, seconds and name; where find has no -printf, of stat's raw mode (hex).
 */
export const LIST = `${PRELUDE}
if [ -d "$1" ]; then
  printf 'in\\0'
  set -- "\${1%/}/" -mindepth 1 -maxdepth 1
else
  printf 'at\\0'
  set -- "$1" -maxdepth 0
fi
if find / -maxdepth 0 -printf '' 2> /dev/null; then
  exec find "$@" -printf '%y %m %s %T@ %f\\0'
fi
exec find "$@" -exec sh -c 'for path do
  facts=$(stat -c "0x%f - %s %Y" "$path") && printf "%s %s\\0" "$facts" "\${path##*/}"
done' sh {} +`;

/** `$1` path: what is no directory, or an empty one. */
export const REMOVE = `${PRELUDE}
${MUST_BE_THERE}
if [ -d "$1" ] && [ ! -L "$1" ]; then exec rmdir "$1"; fi
exec rm -f "$1"`;

/** `$1` path. */
export const REMOVE_TREE = `${PRELUDE}
${MUST_BE_THERE}
exec rm -rf "$1"`;

/** `$1` path. */
export const MAKE_DIR = `${PRELUDE}
exec mkdir -p "$1"`;

/**
 * `$1` from, `$2` to, with the meaning of rename(2) and not that of `mv`: `$2` is the new name, never a
 * directory to move into.
 */
export const MOVE = `${PRELUDE}
${MUST_BE_THERE}
is_dir() { [ -d "$1" ] && [ ! -L "$1" ]; }
if [ "$1" -ef "$2" ] && [ ! -L "$1" ] && [ ! -L "$2" ]; then exit 0; fi
if is_dir "$1"; then
  if is_dir "$2"; then rmdir "$2" || exit
  elif [ -e "$2" ] || [ -L "$2" ]; then fail ENOTDIR; fi
elif is_dir "$2"; then fail EISDIR
fi
if [ -L "$2" ] && [ -d "$2" ]; then rm -f "$2" || exit; fi
exec mv -f "$1" "$2"`;

/** `$1` path, `$2` mode. */
export const CHMOD = `${PRELUDE}
exec chmod "$2" "$1"`;

/**
 * `$1` directory; the archive on stdin. Modes are kept (GNU needs -p, busybox
 * has no such flag and takes the umask off), owners are not.
 */
export const UNPACK = `${PRELUDE}
mkdir -p "$1" || exit
case $(tar --version 2> /dev/null) in *GNU*) ;; *) umask 0 ;; esac
exec tar -x -p -o -f - -C "$1"`;

/** `$1` path: the contents of a directory, or one file (what a link leads to). The archive on stdout. */
export const PACK = `${PRELUDE}
if [ -d "$1" ]; then exec tar -c -f - -C "$1" .; fi
${MUST_BE_THERE}
dir=\${1%/*}
exec tar -c -h -f - -C "$dir/" -- "\${1##*/}"`;
