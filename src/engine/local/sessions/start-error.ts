import { join } from 'node:path';
import { quote } from '../../../contract/names.ts';
import { SpriteExecError } from '../../../errors.ts';
import { readFacts } from './session-facts.ts';
import { readText } from './small-file.ts';

const STANDS_STILL = /paused container|container.*\bpaused\b/i;

/** True: it was frozen just when the command was to begin. Nothing of the command has run. */
export function isStandingStill(thrown: unknown): boolean {
  return thrown instanceof SpriteExecError && STANDS_STILL.test(String(thrown.details.runtime_message ?? ''));
}

/** Why the runtime did not start the command, from what it wrote into the session's directory. */
export function startError(path: string): SpriteExecError {
  const logs = ['stderr.log', 'stdout.log', 'runtime.log'].map((name) => readText(join(path, name)));
  const said = lastMessage(logs.find((log) => log !== '') ?? '');
  const dir = readFacts(path)?.meta.dir ?? '';
  const details = { runtime_message: said };
  if (/chdir to cwd|chdir `|mkdir.*cwd/.test(said)) {
    const reason = /permission denied/i.test(said)
      ? 'its user may not go there'
      : 'there is no such directory';
    return new SpriteExecError(`exec: directory ${quote(dir)}: ${reason}`, {
      hint: 'give a directory of the sprite with --dir; the default is its home',
      details,
    });
  }
  if (/container does not exist|stopped container|not running|no such container|setns process/i.test(said)) {
    return new SpriteExecError('exec: the sprite went down meanwhile', { retryable: true, details });
  }
  if (STANDS_STILL.test(said)) {
    return new SpriteExecError('exec: the sprite stands still', { retryable: true, details });
  }
  if (/"\/bin\/sh"/.test(said)) {
    return new SpriteExecError('exec: the sprite has no /bin/sh, which starts every command', {
      hint: 'a sprite needs /bin/sh and coreutils (busybox is enough) in its image',
      details,
    });
  }
  // The runtime's own helper is inside by then: it is refused a process, or killed for memory.
  const isFull = /init-p|temporarily unavailable|cannot allocate/i.test(said);
  if (said.startsWith('wisp: ')) return new SpriteExecError(`exec: ${said.slice(6)}`, { details });
  return new SpriteExecError(`exec: the runtime failed: ${said || 'it did not say why'}`, {
    hint: isFull
      ? 'the sprite may be out of processes or memory: end a session (kill-session), or stop the sprite'
      : undefined,
    retryable: isFull,
    details,
  });
}

/** Of the last line, as runc (text) or crun (text or JSON) writes it. */
function lastMessage(log: string): string {
  const line = log.split('\n').at(-1) ?? '';
  const quoted = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? /"msg":\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return quoted === undefined ? line : quoted.replaceAll('\\"', '"');
}
