import { shellText } from './shell-text.ts';

/**
 * Where a log is: what is being written lies in LOG.log, what came before it in segments, LOG.OFFSET.log, each
 * named by its first byte's offset. LOG.start holds "START BASE": the first offset that is still there, and the
 * one that LOG.log begins with; it is not there while both are 0.
 *
 * place_of DIR LOG: sets start, base and end.
 */
export const LOG_PLACE = shellText`
place_of() {
  start=0 base=0
  [ -f "$1/$2.start" ] && read -r start base <"$1/$2.start"
  case $start$base in *[!0-9]*) start=0 base=0 ;; esac
  start=\${start:-0} base=\${base:-0}
  # Whoever copied was killed before it could say that the file is a segment now.
  while [ -s "$1/$2.$base.log" ]; do base=$((base + $(stat -c %s "$1/$2.$base.log"))); done
  end=$base
  [ -f "$1/$2.log" ] && end=$((base + $(stat -c %s "$1/$2.log")))
}
`;

/**
 * Shell functions that copy what a command writes into a log that keeps below a limit: the oldest segment is
 * deleted, which costs nothing, for what is deleted need not be written to the disk first. Variables: `dir` holds
 * the logs, `limit` and `round` are in bytes and blocks, `block` is the size of one. `is_read_before LOG OFFSET`
 * is the caller's: it holds back what a reader still wants.
 */
export const LOG_COPYING = shellText`
# write_place LOG: in place, so that it can be written on a full disk, too.
write_place() { printf '%-31s\n' "$start $base" 1<>"$dir/$1.start"; }

# rotate LOG: what is there becomes a segment. Fails when the disk is full.
rotate() {
  mv "$log" "$dir/$1.$base.log" || return
  segments="$segments$base " base=$end
  write_place "$1"
}

# drop_segment LOG: the oldest goes, once every living reader has got past it. What is gone is said before.
drop_segment() {
  oldest=\${segments%% *} segments=\${segments#* } nap=0.01
  start=\${segments%% *}
  start=\${start:-$base}
  while is_read_before "$1" "$start"; do
    sleep "$nap"
    case $nap in 0.01) nap=0.03 ;; *) nap=0.1 ;; esac
  done
  write_place "$1"
  rm -f "$dir/$1.$oldest.log"
}

# empty_log LOG: all of it goes, offsets go on. Cut first, for a reader that has a file open would keep its room;
# then deleted, for that reader must never see other bytes there.
empty_log() {
  for each in $segments; do
    truncate -s 0 "$dir/$1.$each.log"
    rm "$dir/$1.$each.log"
  done
  truncate -c -s 0 "$log"
  rm -f "$log"
  segments= start=$end base=$end
  write_place "$1"
}

# make_room LOG: for one more round.
make_room() {
  [ $((end - base)) -lt $((round * block)) ] || rotate "$1" || empty_log "$1"
  while [ "$segments" ] && [ $((end + round * block - limit)) -gt "$start" ]; do drop_segment "$1"; done
}

# transfer WHERE: copies up to a round of standard input. Sets written (bytes), records, status.
transfer() {
  report=$(dd bs="$block" count="$round" 2>&1 >>"$1")
  status=$?
  records=\${report%% records in*}
  records=\${records##*$newline}
  case $report in
    *" records out$newline"*)
      written=\${report##* records out$newline}
      written=\${written%% *}
      ;;
    # A dd that does not count bytes (busybox): the log does.
    *' records out') if [ -f "$1" ]; then written=$((base + $(stat -c %s "$1") - end)); else written=$(($records * block)); fi ;;
    # No report: there is no room for a file, or the log's directory is gone. Then what still comes is nobody's,
    # but the command may finish.
    *) [ -d "$dir" ] || exec dd bs="$block" of=/dev/null; written=0 records=0 ;;
  esac
  end=$((end + written)) records=$(($records))
}

copy() {
  trap '' HUP INT QUIT TERM
  log=$dir/$1.log start=\${start:-0} base=\${base:-0} end=\${end:-0} segments=\${segments:-}
  while :; do
    make_room "$1"
    transfer "$log"
    if [ "$status" != 0 ]; then
      # The disk is full; one record was read and is lost. The log's own past makes room for what comes.
      [ "$records" = 0 ] || end=$((end + block))
      [ "$written" -gt 0 ] || transfer /dev/null
      empty_log "$1"
    fi
    [ "$status" = 0 ] && [ "$records" -lt "$round" ] && return
  done
}
`;
