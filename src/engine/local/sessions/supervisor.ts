import { HASTEN_GROUP_MOVE } from '../cgroup.ts';
import { LOG_COPYING } from './log-copying.ts';
import { shellText } from './shell-text.ts';
import { SIGNALLING } from './signalling.ts';

/**
 * The one process tree that a session has on the host: a POSIX shell, detached from whoever opened the
 * session, and one dd per log. It outlives the client; nothing else is resident.
 *
 *   client ──spec (fd 3)──▶ supervisor ──▶ runtime exec ──▶ wrapper ──▶ command
 *     ▲                        │           fd 3: "begun",  │              │ stdout, stderr
 *     │                        │◀────────── "exit N" ──────┘              │
 *     │                        └─ copier per log: dd ◀────────────────────┘
 *     └───────────── state, stdout.log, stderr.log ◀────────┘
 *
 * A copier bounds its log: it punches out the head, but waits for readers that live and have not got that far
 * (see Lease); meanwhile the pipe is full and the command waits. When the disk is full a log gives up its past,
 * and what has no room is lost and counted.
 */
export const SUPERVISOR = `${SIGNALLING}

${LOG_COPYING}

dir=$1 limit=$2 round=$3 input=$4 timeout=$5 grace=$6 init=$7 procs=$8
shift 8
unset WISP_SUPERVISOR
${HASTEN_GROUP_MOVE}
${shellText`
# That of the command, too (the runtime sets none); what is made here lies in a closed directory.
umask 022
block=65536 own_born= timer= leader=0 born= out_copier=0 err_copier=0 code= is_signal=false timed_out=false
exit=null is_drained=false
newline='
'
case $input in tty) is_tty=1 ;; *) is_tty=0 ;; esac
# Handlers, not "ignore": what is ignored here would be ignored in the command, too.
trap : HUP INT QUIT TERM PIPE

# Sets born to the start time of a process, in clock ticks since boot.
born_of() { read_stat "$1" && set -- $stat && born=\${20}; }

# See session-state.ts for the lengths.
write_state() {
  printf '%-447s\n' "{\"supervisor\":[$$,\"$own_born\"],\"leader\":$leader,\
\"copiers\":[$out_copier,$err_copier],\"exit\":$exit,\"is_drained\":$is_drained}" 1<>"$dir/state"
}

note_ending() { printf '%-63s\n' "$1" | dd of="$dir/state" bs=64 seek=7 conv=notrunc 2>/dev/null; }

read_ending() {
  { read -r line && read -r why signal; } <"$dir/state"
}

# Sets now to hundredths of a second since boot.
look_at_clock() { read -r now idle </proc/uptime && now=\${now%.*}\${now#*.}; }

record_exit() {
  look_at_clock
  exit="{\"code\":\${code:-null},\"is_signal\":$is_signal,\"timed_out\":$timed_out,\"ticks\":$now}"
  write_state
}

record_end() {
  wait
  is_drained=true
  write_state
}

# is_read_before LOG OFFSET: a living reader still wants bytes before the offset.
is_read_before() {
  for lease in "$dir/reader."*; do
    read -r pid lease_born stdout stderr 2>/dev/null <"$lease" || continue
    case $1 in stdout) wanted=$stdout ;; *) wanted=$stderr ;; esac
    [ "$wanted" -lt "$2" ] || continue
    born_of "$pid" && [ "$born" = "$lease_born" ] && return 0
  done
  return 1
}

stop_late() {
  nap= is_over=
  # SIGKILL: what is forked with a handler may lose a signal that it could handle.
  trap 'is_over=1; [ "$nap" ] && kill -s KILL "$nap"' TERM
  sleep "$timeout" &
  nap=$!
  [ "$is_over" ] && kill -s KILL "$nap"
  wait "$nap"
  [ "$is_over" ] && return
  trap '' TERM
  note_ending timeout
  signal_session TERM
  [ "$is_tty" = 1 ] && signal_session HUP
  look_at_clock
  kill_at=$((now + grace))
  while [ "$now" -lt "$kill_at" ]; do
    find_members
    [ "$members" = ' ' ] && return
    sleep 0.1
    look_at_clock
  done
  note_ending 'timeout KILL'
  kill_members
}

# The sprite is going down: its PID 1 has no memory left, which is so before its processes are all gone.
is_init_ending() {
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    args=
    read -r args 2>/dev/null <"/proc/$init/cmdline"
    [ "$args" ] || return 0
    sleep 0.05
  done
  return 1
}

read_status() {
  junk=0
  while [ "$junk" -lt 64 ] && read -r word code; do
    [ "$word" = exit ] && break
    # A shell says so when its command was ended by a signal; an exit status of 128+n alone would not.
    is_signal=true junk=$((junk + 1)) code=
  done
  # Anything may come from inside.
  case $code in '' | *[!0-9]* | ????* | 0?*) code= ;; *) [ "$code" -le 255 ] || code= ;; esac
  read_ending
  [ "$why" = timeout ] && timed_out=true
  [ "$code" ] && return
  is_signal=false
  if [ "$signal" = KILL ] || is_init_ending; then code=137 is_signal=true; fi
}

born_of $$
own_born=$born
write_state
exec 7<&3 3<&-
case $input in
  none) exec 6</dev/null ;;
  *)
    mkfifo -m 666 "$dir/stdin" || exit 1
    # Both ends: the command may then open it to read and the client to write, without waiting for each other.
    exec 6<>"$dir/stdin"
    ;;
esac

# Three pipes without starting a program: the reading ends are those of here-documents of one empty line, the
# writing ends are opened by name (/proc/self/fd). A shell that keeps here-documents in files gets fifos.
exec 4<<OUT 5<<ERR 8<<STATUS

OUT

ERR

STATUS
if [ -p /proc/self/fd/4 ]; then
  for each in 4 5 8; do eval "read -r line <&$each"; done
else
  mkfifo -m 600 "$dir/out" "$dir/err" "$dir/status" || exit 1
  # To open one end alone waits for the other.
  exec 9<>"$dir/out" 4<"$dir/out" 9<>"$dir/err" 5<"$dir/err" 9<>"$dir/status" 8<"$dir/status" 9>&-
fi
# Held until the command has them, for a pipe that nobody writes to is at its end. Nobody but the command gets
# at them; that it may open them by name (/dev/stdout) takes the mode.
exec 3>/proc/self/fd/4 9>/proc/self/fd/5
chmod 666 /proc/self/fd/3 /proc/self/fd/9
# In brackets: a function whose descriptors are changed keeps copies of the old ones.
(copy stdout) <&4 >/dev/null 2>&1 3>&- 4<&- 5<&- 6>&- 7<&- 8<&- 9>&- &
out_copier=$!
if [ "$is_tty" = 1 ]; then
  exec 9>&3
else
  (copy stderr) <&5 >/dev/null 2>&1 3>&- 4<&- 5<&- 6>&- 7<&- 8<&- 9>&- &
  err_copier=$!
fi
# 3 to 6 become what the wrapper knows them as; 7 is for the runtime. It ends with the command's first shell,
# which is killed, so its exit code says nothing.
case $input in
  # An end that can only read, so that there is an end of it.
  pipe) "$@" </dev/null >/dev/null 2>"$dir/runtime.log" 4>&3 5>&9 6<"$dir/stdin" 3>/proc/self/fd/8 8<&- 9>&- ;;
  *) "$@" </dev/null >/dev/null 2>"$dir/runtime.log" 4>&3 5>&9 3>/proc/self/fd/8 8<&- 9>&- ;;
esac
exec 3>&- 4<&- 5<&- 7<&- 9>&-
read -r leader <"$dir/pid"
word=
# Anything may come from inside, without end, too: it takes no more memory than this (KiB).
ulimit -v 65536
read -r word <&8
if [ "$word" != begun ]; then
  leader=0 code=125
  record_exit
  record_end
  exit 1
fi
write_state
if [ "$timeout" ]; then
  # A shell that begins with a handler loses what comes before it has put the handler away.
  trap - TERM
  (stop_late) </dev/null >/dev/null 6>&- 8<&- &
  timer=$!
fi
# The client has opened its end, or is gone: from here on its going is the command's end of input.
[ "$input" = pipe ] && read -r go
exec </dev/null >/dev/null 6>&-
trap '' HUP INT QUIT TERM PIPE
# And no more time (seconds).
ulimit -t 2
read_status <&8
exec 8<&-
record_exit
if [ "$timed_out" = false ] && [ "$timer" ]; then kill "$timer"; fi
record_end
`}`;
