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

/** `$1` path, `$2` number of the first byte (from 1), `$3` how many, or empty for all. */
export const READ_RANGE = `${PRELUDE}
${MUST_BE_THERE}
[ ! -d "$1" ] || fail EISDIR
[ -r "$1" ] || fail EACCES
[ -n "$3" ] || exec tail -c "+$2" "$1"
tail -c "+$2" "$1" | head -c "$3"`;

/**
 * `$1` path, `$2` mode, `$3` a name nobody else has, which also ends the content on stdin: when the caller dies its
 * end of stdin closes as it does at the end of the content, and half of it must not take the file's place. Through
 * a link to its target, as every writer does. A signal ends it at once, which takes `wait`: a shell acts on one
 * only when its foreground program has ended. dd cuts a file at the place it is to begin at.
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
exec 3<&0
cat <&3 > "$part" &
wait $! || exit
[ "$(tail -c "\${#3}" "$part")" = "$3" ] || fail EPIPE
size=$(($(wc -c < "$part") - \${#3}))
dd if=/dev/null of="$part" bs=1 seek="$size" 2> /dev/null || exit
chmod "$2" "$part" || exit
echo "$size" || exit
mv -f "$part" "$target"`;

/**
 * `$1` path, `$2` empty for the whole tree, `$3` pattern of names or empty: `in` and what a directory holds, or
 * `at` and the one entry of what is no directory. NUL-ended records of find's type letter, mode, size, seconds
 * and path below `$1`; where find has no -printf, of stat's raw mode (hex).
 */
export const LIST = `${PRELUDE}
pattern=\${3:-*}
if [ -d "$1" ]; then
  printf 'in\\0'
  if [ -n "$2" ]; then set -- "\${1%/}/" -mindepth 1 -maxdepth 1; else set -- "\${1%/}/" -mindepth 1; fi
  below=%P
else
  printf 'at\\0'
  set -- "$1" -maxdepth 0
  below=%f
fi
if find / -maxdepth 0 -printf '' 2> /dev/null; then
  exec find "$@" -name "$pattern" -printf "%y %m %s %T@ $below\\0"
fi
case $below in %P) root=$1 ;; *) root=\${1%/*}/ ;; esac
exec find "$@" -name "$pattern" -exec sh -c 'for path do
  facts=$(stat -c "0x%f - %s %Y" "$path") && printf "%s %s\\0" "$facts" "\${path#"$0"}"
done' "$root" {} +`;

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

/**
 * `$1` from, `$2` to, `$3` flags for cp (`-R`, `-p`) or empty. Prints how many entries were copied, and the
 * sizes of the files among them, one a line.
 */
export const COPY = `${PRELUDE}
${MUST_BE_THERE}
dir=\${2%/*}
if [ -e "$dir" ] && [ ! -d "$dir" ]; then fail ENOTDIR; fi
mkdir -p "$dir/" || exit
if [ -d "$1" ]; then
  case $3 in *R*) ;; *) fail EISDIR ;; esac
  if [ -e "$2" ] || [ -L "$2" ]; then [ -d "$2" ] || fail ENOTDIR; fi
  case $2/ in "$1"/*) fail EINVAL ;; esac
  if [ -L "$1" ] && [ ! -e "$2" ]; then cp $3 "$1" "$2" || exit
  else mkdir -p "$2" && cp $3 "$1/." "$2/" || exit; fi
else
  [ ! -d "$2" ] || fail EISDIR
  if [ "$1" -ef "$2" ]; then fail EINVAL; fi
  cp $3 "$1" "$2" || exit
fi
find "$1" -exec sh -c 'echo "entries $#"' sh {} +
find "$1" -type f -exec stat -c %s {} +`;

/** `$1` path, `$2` mode, `$3` `-R` or empty. */
export const CHMOD = `${PRELUDE}
exec chmod $3 "$2" "$1"`;

/** `$1` path, `$2` `USER`, `USER:GROUP` or `:GROUP`, `$3` `-R` or empty. */
export const CHOWN = `${PRELUDE}
exec chown -h $3 "$2" "$1"`;

/**
 * `$1` empty for whole trees, then paths. Looks once for each line on stdin: NUL-ended records of inode, find's
 * type letter, mode, size, seconds of content and of facts, path; an empty record ends the look. Ends with stdin.
 */
export const WATCH = `${PRELUDE}
depth=$1
shift
if find / -maxdepth 0 -printf '' 2> /dev/null; then
  look() { find "$@" -printf '%i %y %m %s %T@ %C@ %p\\0'; }
else
  look() {
    find "$@" -exec sh -c 'for path do
      facts=$(stat -c "%i 0x%f - %s %Y %Z" "$path") && printf "%s %s\\0" "$facts" "$path"
    done' sh {} +
  }
fi
while read -r _; do
  for path do
    if [ -d "$path" ]; then at=\${path%/}/; else at=$path; fi
    if [ -n "$depth" ]; then look "$at" -maxdepth 1; else look "$at"; fi
  done 2> /dev/null
  printf '\\0'
done`;

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
