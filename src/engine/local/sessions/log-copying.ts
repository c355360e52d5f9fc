import { shellText } from './shell-text.ts';

/**
 * Shell functions that copy what a command writes into a log that keeps below a limit. Variables: `dir` holds the
 * logs, `limit` and `round` are in bytes and blocks, `block` is the size of one; `start` and `end` are the offsets
 * a log begins with, 0 when not set. `is_read_before LOG OFFSET` is the caller's: it holds back what a reader
 * still wants.
 */
export const LOG_COPYING = shellText`
# note_start LOG OFFSET: bytes before the offset are gone. Said before they could be taken for zeros.
note_start() { printf '%-31s\n' "$2" 1<>"$dir/$1.start"; }

# empty_log LOG: all of it goes, offsets go on. In this order there is room on a full disk for the note.
empty_log() {
  truncate -s 0 "$log"
  note_start "$1" "$end"
  truncate -s "$end" "$log"
  start=$end
}

# make_room LOG: keeps the log below its limit, once every living reader has got past what goes.
make_room() {
  keep_from=$(((end + round * block - limit + block - 1) / block * block))
  [ "$keep_from" -gt "$start" ] || return 0
  [ "$can_punch" ] || keep_from=$end
  nap=0.01
  while is_read_before "$1" "$keep_from"; do
    sleep "$nap"
    case $nap in 0.01) nap=0.03 ;; *) nap=0.1 ;; esac
  done
  if [ "$can_punch" ] && note_start "$1" "$keep_from"; then
    from=$((start / block * block))
    start=$keep_from
    fallocate --punch-hole --offset "$from" --length $((start - from)) "$log" && return 0
    # No holes on this file system, or no such option: the whole log goes, now and from now on.
    can_punch=
    while is_read_before "$1" "$end"; do sleep 0.03; done
  fi
  empty_log "$1"
}

# transfer WHERE: copies up to $room blocks of standard input. Sets written (bytes), records, status.
transfer() {
  report=$(dd bs="$block" count="$room" 2>&1 >>"$1")
  status=$?
  records=\${report%% records in*}
  records=\${records##*$newline}
  case $report in
    *" records out$newline"*)
      written=\${report##* records out$newline}
      written=\${written%% *}
      ;;
    # A dd that does not count bytes (busybox): the log does.
    *' records out') if [ -f "$1" ]; then written=$(($(stat -c %s "$1") - end)); else written=$(($records * block)); fi ;;
    # No report: the log's directory is gone. What still comes is nobody's, but the command may finish.
    *) exec dd bs="$block" of=/dev/null ;;
  esac
  end=$((end + written)) records=$(($records))
}

copy() {
  trap '' HUP INT QUIT TERM
  log=$dir/$1.log start=\${start:-0} end=\${end:-0} can_punch=1
  while :; do
    make_room "$1"
    room=$(((limit - end + start) / block))
    transfer "$log"
    if [ "$status" != 0 ]; then
      # The disk is full; one record was read and is lost. The log's own past makes room for what comes.
      end=$((end + block))
      [ "$written" -gt 0 ] || transfer /dev/null
      empty_log "$1"
    fi
    [ "$status" = 0 ] && [ "$records" -lt "$room" ] && return
  done
}
`;
