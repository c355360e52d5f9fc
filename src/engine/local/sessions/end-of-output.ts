import { readIfThere, readProcStat } from '../../../process/proc-stat.ts';
import { readFacts, type SessionFacts } from './session-facts.ts';

/** Silence after the end that counts as the last byte being there. */
const DRAIN_MS = 200;
const BUSY_LOOK_MS = 20;
/** Some shells have one of their own between a copier and its dd. */
const MAX_DEPTH = 3;

/**
 * Whether a session's logs have all they will get: when the supervisor says so, or, while a process that was
 * left behind keeps the pipe open, when nothing has come for a moment and both copiers wait for more.
 */
export class EndOfOutput {
  readonly #path: string;
  #quietSince: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  sawBytes(): void {
    this.#quietSince = null;
  }

  isReached(): boolean {
    const facts = readFacts(this.#path);
    // Its directory is gone: so is the sprite.
    if (facts === null || facts.state?.is_drained === true) return true;
    if (facts.phase === 'running') return false;
    this.#quietSince ??= performance.now();
    return performance.now() - this.#quietSince >= DRAIN_MS && areCopiersWaiting(facts);
  }

  /** In how many ms it is worth to look again, though nothing has changed. */
  nextLookMs(): number {
    if (this.#quietSince === null) return Number.POSITIVE_INFINITY;
    return Math.max(BUSY_LOOK_MS, DRAIN_MS - (performance.now() - this.#quietSince));
  }
}

function areCopiersWaiting({ state }: SessionFacts): boolean {
  if (state === null) return true;
  const [supervisor] = state.supervisor;
  return state.copiers.every((pid) => pid === 0 || isCopierWaiting(pid, supervisor));
}

/** Asleep in dd, or gone. Not so while it writes to a slow disk, or waits for a slow reader. */
function isCopierWaiting(pid: number, supervisor: number): boolean {
  if (readProcStat(pid)?.groupId !== supervisor) return true;
  let leaf = String(pid);
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const children = readIfThere(`/proc/${leaf}/task/${leaf}/children`);
    // A kernel that doesn't tell: the silence is all there is to go by.
    if (children === null && depth === 0) return true;
    const [child = ''] = (children ?? '').trim().split(' ');
    if (child === '') break;
    leaf = child;
  }
  return / \(dd\) S /.test(readIfThere(`/proc/${leaf}/stat`) ?? '');
}
