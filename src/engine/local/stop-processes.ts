/** Asks every process of a sprite to end, and gives them time to. */
import type { Waiting } from '../engine.ts';
import { type RunningSprite, runInside } from './inside.ts';

/** Tenths of a second. */
const GRACE_STEPS = 50;
/** More than the script itself can take. */
const TIMEOUT_MS = 15_000;

/** PID 1, its sleep and this shell are what an idle sprite consists of; what is dead only waits to be reaped. */
const SCRIPT = `kill -s TERM -- -1 2>/dev/null
step=0
while [ "$step" -lt "$1" ]; do
  living=0
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    case $line in *') Z '*) ;; *) living=$((living + 1)) ;; esac
  done 2>/dev/null
  [ "$living" -le 3 ] && exit 0
  sleep 0.1
  step=$((step + 1))
done
`;

/** What is left afterwards is the caller's to kill. */
export async function endProcesses(sprite: RunningSprite, { signal }: Waiting): Promise<void> {
  const command = ['/bin/sh', '-c', SCRIPT, 'sh', String(GRACE_STEPS)];
  await runInside(
    sprite,
    { command, user: 'root', dir: '/' },
    { timeoutMs: TIMEOUT_MS, signal, maxBytes: 4096 },
  );
}
