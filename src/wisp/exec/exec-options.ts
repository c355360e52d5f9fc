/** The flags of `exec` as what the engine is asked for; what can't go together is refused here. */

import type { SessionSpec, TerminalSize } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { environmentOf } from '../environment.ts';
import { type OutputEncoding, refuseTogether } from '../flags.ts';
import type { WispContext } from '../globals.ts';

export type ExecOptions = {
  readonly dir?: string;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly user?: string;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly stdin?: boolean;
  readonly timeout?: number;
  readonly maxOutput?: number;
  readonly encoding?: OutputEncoding;
  readonly detachKey?: string;
};

export type ExecContext = WispContext<ExecOptions, [name: string]>;

/** Throws `USAGE`. */
export function assertExecOptions({ options, json }: ExecContext): void {
  const { tty = false, detach = false, stdin = false } = options;
  const isInteractive = tty && !detach;
  refuseTogether('exec', { '--detach': detach, '--stdin': stdin }, 'nobody would feed it');
  refuseTogether(
    'exec',
    { '--tty': isInteractive, '--json': json },
    'the terminal and the document both go to stdout',
  );
  refuseTogether(
    'exec',
    { '--detach': detach, '--max-output': options.maxOutput !== undefined },
    'a detached command has no output yet',
  );
  if (options.detachKey !== undefined && !isInteractive) {
    throw new WreckitError('USAGE', 'exec: --detach-key is for a command on this terminal, it needs --tty');
  }
  for (const [flag, value] of [
    ['--max-output', options.maxOutput],
    ['--encoding', options.encoding],
  ] as const) {
    if (value === undefined || json) continue;
    throw new WreckitError('USAGE', `exec: ${flag} is about the JSON document, it needs --json`, {
      hint: 'without --json all bytes are passed through untouched',
    });
  }
}

/** Throws `USAGE` for an environment that can't be read. */
export function sessionSpec(context: ExecContext, tty: TerminalSize | undefined): SessionSpec {
  const { options, rest } = context;
  const { dir, user, timeout, stdin } = options;
  return { command: rest, dir, user, tty, stdin, timeoutMs: timeout, env: environmentOf(options, context) };
}
