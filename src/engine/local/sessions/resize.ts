/** A terminal session's size, changed from inside: the host opens no device of a sprite. */
import { SpriteExecError } from '../../../errors.ts';
import { readIfThere } from '../../../process/proc-stat.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import type { TerminalSize } from '../../engine.ts';
import { type RunningSprite, runInside } from '../inside.ts';
import { findMembers } from './members.ts';
import type { SessionFacts } from './session-facts.ts';

const CALL_TIMEOUT_MS = 15_000;

/** The kernel tells the programs on it (SIGWINCH). False: the session has no terminal (any more). */
export async function setTerminalSize(
  sprite: RunningSprite,
  facts: SessionFacts,
  { cols, rows }: TerminalSize,
): Promise<boolean> {
  const terminal = terminalOf(await findMembers(facts));
  if (terminal === null) return false;
  const command = ['stty', '-F', terminal, 'rows', String(rows), 'cols', String(cols)];
  const request = { command, user: facts.meta.user, dir: '/' } as const;
  const result = await runInside(sprite, request, { timeoutMs: CALL_TIMEOUT_MS, maxBytes: 4096 });
  if (!result.failed) return true;
  if (terminalOf(await findMembers(facts)) === null) return false;
  throw new SpriteExecError(
    `session ${facts.meta.id}: its terminal could not be resized: ${decodeUtf8(result.stderr).trim()}`,
  );
}

/** The path inside of the terminal that one of the processes is controlled by. */
function terminalOf(pids: readonly number[]): string | null {
  for (const pid of pids) {
    const stat = readIfThere(`/proc/${pid}/stat`) ?? '';
    const device = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4]);
    // The minor number: bits 0 to 7 and 20 to 31 (proc(5), tty_nr).
    if (device > 0) return `/dev/pts/${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
  }
  return null;
}
