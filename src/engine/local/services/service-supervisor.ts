import { LOG_COPYING, LOG_PLACE } from '../sessions/log-copying.ts';
import { shellText } from '../sessions/shell-text.ts';
import { SIGNALLING } from '../sessions/signalling.ts';

/**
 * What keeps a service running: a POSIX shell on the host, detached from whoever started it, that ends with the
 * sprite. Nobody else need be there.
 *
 *   supervisor ── runtime exec ──▶ wrapper ──▶ command        again and again, later each time it crashes
 *        ▲                            │           │ stdout, stderr
 *        │◀── "begun PID", "exit N" ──┘           ▼
 *        │         fifo status          fifos out, err ──▶ copiers: dd, one per log
 *        └─ state, events
 *
 * The pipes have names, so that a supervisor that is killed can be replaced by one that takes over what runs
 * ("adopts" it). Copiers are groups of their own: they outlive the supervisor until the last byte is written.
 * The file `down` says that nobody wants the service to run.
 */
export const SERVICE_SUPERVISOR = `${SIGNALLING}

${LOG_PLACE}

${shellText`
dir=$1 logs=$2 init=$3 init_born=$4 needs=$5 first=$6 longest=$7 most=$8 steady=$9
shift 9
limit=$1 round=$2 adopted=$3
shift 3
unset WISP_SUPERVISOR
# That of the command, too: the runtime sets none.
umask 022
is_tty=0 status=starting leader=0 inner=0 since=0 restarts=0 next=0 code=- why=- in_a_row=0 delay=$first copiers=
# Handlers, not "ignore": what is ignored here would be ignored in the command, too.
trap : HUP INT QUIT TERM PIPE

# Sets born to the start time of a process, in clock ticks since boot.
born_of() { read_stat "$1" && set -- $stat && born=\${20}; }

# Sets now to hundredths of a second since boot.
look_at_clock() { read -r now idle </proc/uptime && now=\${now%.*}\${now#*.}; }

# See service-state.ts for the fields and the length.
write_state() {
  printf '%-255s\n' "$status $$ $own_born $leader $inner $since $restarts $next $code $why" 1<>"$dir/state"
}

# A line of the journal: when, what, with what.
note() {
  look_at_clock
  echo "$now $*" >>"$dir/events"
  noted=$((noted + 1))
  [ "$noted" -lt 1000 ] && return
  tail -n 200 "$dir/events" >"$dir/events.new" && mv "$dir/events.new" "$dir/events"
  noted=200
}

# The sprite goes down: its PID 1 has no memory left, which is so before its processes are all gone.
is_gone() {
  born=
  born_of "$init"
  [ "$born" = "$init_born" ] || return 0
  args=
  read -r args 2>/dev/null <"/proc/$init/cmdline"
  [ -z "$args" ]
}

is_unwanted() { [ -e "$dir/down" ] || ! [ -e "$dir" ]; }

end_copiers() {
  read -r copiers 2>/dev/null <"$dir/copiers"
  set -- $copiers
  copiers=
  while [ $# -gt 1 ]; do
    tries=0
    while born= && born_of "$1" && [ "$born" = "$2" ]; do
      tries=$((tries + 1))
      # Something that has left the service holds its output open: it has no place in the log any more.
      [ "$tries" -gt 40 ] && kill -s KILL -- "-$1"
      sleep 0.05
    done 2>/dev/null
    shift 2
  done
}

# start_copier STREAM: its input is 6.
start_copier() {
  setsid /bin/sh -c 'eval "$WISP_COPIER"' wisp-service-log "$logs" "$limit" "$round" "$1" \
    <&6 >/dev/null 2>&1 3>&- 4>&- 5>&- 6<&- 7<&- 8<&- 9>&- &
  born_of $!
  copiers="$copiers $! $born"
  echo "$copiers" >"$dir/copiers"
}

# Sets 4 and 5 to what the command writes to. A reader is there before a writer, hence the ends that do both.
open_logs() {
  [ "$copiers" ] && return
  end_copiers
  rm -f "$dir/out" "$dir/err"
  # The command may open them by name (/dev/stdout); to get here takes more than the mode.
  mkfifo -m 666 "$dir/out" "$dir/err" || exit 1
  exec 9<>"$dir/out" 6<"$dir/out" 4>"$dir/out"
  start_copier stdout
  exec 9<>"$dir/err" 6<"$dir/err" 5>"$dir/err"
  start_copier stderr
  exec 6<&- 9>&-
}

wait_for_needs() {
  for need in $needs; do
    nap=0.05
    while :; do
      read -r word rest 2>/dev/null <"\${dir%/*}/$need/state"
      case $word in running | finished) break ;; esac
      is_unwanted && return
      is_gone && exit
      [ "$why" = "$need" ] || { status=waiting why=$need && write_state; }
      sleep "$nap"
      case $nap in 0.05) nap=0.1 ;; 0.1) nap=0.2 ;; 0.2) nap=0.5 ;; 0.5) nap=1 ;; *) nap=2 ;; esac
    done
  done
}

# $(read_word WORD): what the wrapper says after it. Anything may come from inside, and without end: a shell reads it
# that may use no more than this (seconds, KiB), and that ends with this one, whose successor reads the same pipe.
read_word() {
  exec setpriv --pdeathsig KILL /bin/sh -c '
    ulimit -t 2
    ulimit -v 65536
    junk=0
    # A shell says there, too, which signal ended its command.
    while [ "$junk" -lt 64 ] && read -r word rest; do
      [ "$word" = "$1" ] && echo "$rest" && break
      junk=$((junk + 1))
    done' wisp-service-status "$1" <&8 3>&- 4>&- 5>&- 7<&- 8<&-
}

# launch ARGV...: true once the command has begun.
launch() {
  rm -f "$dir/status" "$dir/pid"
  place_of "$logs" stdout
  out_size=$end
  place_of "$logs" stderr
  err_size=$end
  mkfifo -m 600 "$dir/status" || exit 1
  exec 9<>"$dir/status" 8<"$dir/status" 3>"$dir/status" 9>&-
  "$@" </dev/null >/dev/null 2>"$dir/runtime.log" 6</dev/null 8<&-
  exec 3>&-
  leader=0
  read -r leader 2>/dev/null <"$dir/pid"
  inner=$(read_word begun)
  word=\${inner:+begun}
  case $inner in '' | *[!0-9]* | ????????*) inner=0 ;; esac
  [ "$word" = begun ]
}

# Waits for the command to end. Sets code, empty where nobody knows it.
wait_for_end() {
  code=$(read_word exit)
  exec 8<&-
  case $code in '' | *[!0-9]* | ????* | 0?*) code= ;; *) [ "$code" -le 255 ] || code= ;; esac
}

# Nothing can be started in a sprite that sleeps, which is no fault of the command.
is_asleep() {
  [ "$why" = exec ] || return 1
  while read -r line; do
    case $line in *paused*) return 0 ;; esac
  done <"$dir/runtime.log"
  return 1
}

# settle STATUS EVENT...: the last word on it.
settle() {
  status=$1 leader=0 inner=0 next=0
  shift
  write_state
  note "$@"
  exit
}

# The command has ended, or never began: what becomes of it.
look_at_end() {
  if [ "$code" = '' ]; then
    status=starting inner=0
    write_state
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
      is_gone && exit
      sleep 0.05
    done
    code=-
  fi
  is_gone && exit
  # What it left behind would be in the way of the next one, on its port.
  [ "$leader" != 0 ] && kill_members
  [ "$why" = exec ] || note exit "$code"
  leader=0 inner=0
  is_unwanted && settle stopped stopped
  [ "$code" = 0 ] && settle finished stopped
  look_at_clock
  [ "$why" != exec ] && [ $((now - since)) -ge "$steady" ] && in_a_row=0 delay=$first
  is_asleep || in_a_row=$((in_a_row + 1))
  [ "$in_a_row" -gt "$most" ] && settle failed error
  next=$((now + delay)) status=backoff
  write_state
  part=$((delay % 100))
  case $part in ?) part=0$part ;; esac
  sleep "$((delay / 100)).$part"
  restarts=$((restarts + 1)) next=0 delay=$((delay * 2))
  [ "$delay" -le "$longest" ] || delay=$longest
}

born_of $$
own_born=$born
noted=0
[ -f "$dir/events" ] && noted=$(wc -l <"$dir/events")
exec 7<&3 3<&-
if [ "$adopted" = 1 ] && read -r word pid born leader inner since restarts rest <"$dir/state"; then
  status=running
  exec 9<>"$dir/status" 8<"$dir/status" 9>&-
  write_state
  wait_for_end
  look_at_end
else
  write_state
fi
while :; do
  status=starting why=-
  wait_for_needs
  is_unwanted && settle stopped stopped
  is_gone && exit
  status=starting why=- code=-
  write_state
  open_logs
  if launch "$@"; then
    look_at_clock
    status=running since=$now
    write_state
    note started "$inner" "$out_size" "$err_size"
    wait_for_end
  else
    exec 8<&-
    code=125 why=exec
  fi
  look_at_end
done
`}`;

/** One log's copier: see log-copying.ts. It goes on where the log ends, and waits for no reader. */
export const SERVICE_LOG_COPIER = `${LOG_PLACE}

${LOG_COPYING}

${shellText`
dir=$1 limit=$2 round=$3 block=65536 segments= newline='
'
unset WISP_COPIER
umask 022
is_read_before() { return 1; }
place_of "$dir" "$4"
if [ -e "$dir/$4.start" ]; then
  for each in $(ls "$dir" | sed -n "s/^$4\.\([0-9]*\)\.log\$/\1/p" | sort -n); do segments="$segments$each "; done
  start=\${segments%% *}
  start=\${start:-$base}
  write_place "$4"
fi
copy "$4"
`}`;
