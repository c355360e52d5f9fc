import { shellText } from './shell-text.ts';

/**
 * Shell functions that find and signal the processes of a session from the host. Variables: `init` is the
 * sprite's PID 1, `leader` the number of its kernel session, which is that of its first process (host pids), `is_tty` is 1 for a terminal session.
 *
 * From the host, because inside there may be no process left to start (pids limit), and a sprite's own `ps`
 * says what the sprite wants. A process is only ever signalled after it was seen in the sprite's pid
 * namespace; its number is the directory's name, since a process chooses what its stat file begins with.
 */
export const SIGNALLING = shellText`
is_inside() { [ "/proc/$1/ns/pid" -ef "/proc/$init/ns/pid" ]; }

# Sets stat to the fields of a process from its state on; the name before them may hold anything.
read_stat() {
  stat=
  while read -r line; do stat="$stat $line"; done 2>/dev/null <"/proc/$1/stat" || return 1
  case $stat in *') '*) stat=\${stat##*) } ;; *) return 1 ;; esac
}

# Sets members to what belongs to the session: its kernel session, all descendants and their kernel sessions.
# Sets groups to their process groups.
find_members() {
  rows= members=' ' groups=' '
  for at in /proc/[0-9]*; do
    pid=\${at#/proc/}
    is_inside "$pid" && read_stat "$pid" || continue
    set -- $stat
    case $1 in Z | X) ;; *) rows="$rows $pid:$2:$3:$4" ;; esac
  done
  has_grown=1
  while [ "$has_grown" ]; do
    has_grown=
    for row in $rows; do
      pid=\${row%%:*} sid=\${row##*:} row=\${row#*:}
      parent=\${row%%:*} group=\${row#*:} group=\${group%:*}
      case $members in *" $pid "*) continue ;; esac
      case "$members$leader " in *" $parent "* | *" $sid "*) ;; *) continue ;; esac
      members="$members$pid " has_grown=1
      case $groups in *" $group "*) ;; *) groups="$groups$group " ;; esac
    done
  done
}

# signal_session NAME: to the process group; of a terminal session to every group but that which holds the terminal.
signal_session() {
  find_members
  for group in $groups; do
    if [ "$is_tty" = 1 ] && [ "$group" = "$leader" ]; then continue; fi
    if [ "$is_tty" = 0 ] && [ "$group" != "$leader" ]; then continue; fi
    kill -s "$1" -- "-$group"
  done 2>/dev/null
}

# Kills all of it, round by round, since a process may start another while it is looked for.
kill_members() {
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    find_members
    [ "$members" = ' ' ] && return 0
    kill -s KILL $members 2>/dev/null
    [ "$attempt" -gt 2 ] && sleep 0.05
  done
  return 1
}
`;
