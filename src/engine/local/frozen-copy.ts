/**
 * Copies a sprite's disk while nothing of the sprite runs: neither is the copy torn, nor can a process lead the
 * copying program astray by swapping a directory for a link under it. The shell that thaws is no child of
 * ours: it does its work also when this program is killed meanwhile.
 */
import { SpriteExecError } from '../../errors.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { Waiting } from '../engine.ts';
import { type RunningSprite, runInside } from './inside.ts';
import type { Freezer } from './sleep/freezer.ts';
import { requireTool, TOOL_ENV } from './tools.ts';

const COPY_TIMEOUT_MS = 30 * 60_000;

/** Arguments: the freezer's file and its two words, the file of its state and what to find there, the copying command. */
const FREEZE_COPY_THAW = `file=$1 freeze=$2 thaw=$3 state=$4 frozen=$5
shift 5
trap '' HUP INT TERM
is_frozen() {
  while read -r line; do [ "$line" = "$frozen" ] && return 0; done <"$state"
  return 1
}
tries=0
until printf %s "$freeze" >"$file" && is_frozen; do
  tries=$((tries + 1))
  if [ "$tries" -gt 500 ]; then
    printf %s "$thaw" >"$file"
    echo 'its processes do not stand still' >&2
    exit 90
  fi
  # It takes a few milliseconds, if nothing waits for a disk.
  [ "$tries" -lt 20 ] || sleep 0.01
done
"$@"
status=$?
printf %s "$thaw" >"$file"
exit $status
`;

/** Without a control group there is nothing to freeze: every process gets SIGSTOP, and SIGCONT afterwards. */
const STOP_ALL = ['/bin/sh', '-c', 'kill -s STOP -- -1 2>/dev/null; true'];
const CONTINUE_ALL = ['/bin/sh', '-c', 'kill -s CONT -- -1 2>/dev/null; true'];

export interface CopyRequest extends Waiting {
  /** Null: the sprite is down. */
  readonly running: RunningSprite | null;
  readonly freezer: Freezer | null;
  /** It stands still already, and is left so. */
  readonly isFrozen: boolean;
  readonly sources: readonly string[];
  /** An empty directory. */
  readonly target: string;
}

/** Throws `SPRITE_EXEC_FAILED` (a full disk, say); what was copied until then is the caller's to remove. */
export async function frozenCopy(request: CopyRequest): Promise<void> {
  const copy = copyArgv(request.sources, request.target);
  const { running, freezer } = request;
  if (running === null || request.isFrozen) return await runCopy(copy);
  if (freezer !== null) {
    const { file, freeze, thaw, state, frozenLine } = freezer;
    const words = [file, freeze, thaw, state, frozenLine];
    return await runCopy(['/bin/sh', '-c', FREEZE_COPY_THAW, 'sh', ...words, ...copy]);
  }
  await runInside(running, { command: STOP_ALL, user: 'root', dir: '/' }, request);
  try {
    await runCopy(copy);
  } finally {
    await runInside(running, { command: CONTINUE_ALL, user: 'root', dir: '/' });
  }
}

function copyArgv(sources: readonly string[], target: string): string[] {
  return [requireTool('cp', 'coreutils'), '--archive', '--reflink=auto', '--', ...sources, target];
}

async function runCopy(argv: readonly string[]): Promise<void> {
  const result = await run(argv, { env: TOOL_ENV, timeoutMs: COPY_TIMEOUT_MS, maxBytes: 16 * 1024 });
  if (!result.failed) return;
  const said = decodeUtf8(result.stderr).trim().split('\n').at(-1) ?? '';
  throw new SpriteExecError(`copy of the sprite's disk: ${said || `exit code ${result.exitCode}`}`, {
    hint: /no space/i.test(said) ? 'free some space: old checkpoints can be deleted' : undefined,
  });
}
