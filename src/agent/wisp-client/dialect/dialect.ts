/** How the words of the wisp contract are said to a program: its own way, or in another program's dialect. */
import type { WispCommand } from '../wisp-command.ts';
import type { WispProgram } from '../wisp-program.ts';
import { flySteps, flyStream } from './fly.ts';

export interface ArgvOptions {
  /** Ask for the one JSON document. */
  readonly json: boolean;
  /** Which of its engines the program is to use. */
  readonly engine?: string | undefined;
}

/** The whole argv of a call that is one run of the program. Throws `UNSUPPORTED` for what the program's dialect can't say. */
export function argvFor(program: WispProgram, command: WispCommand, options: ArgvOptions): string[] {
  switch (program.dialect) {
    case 'wisp':
      return [...program.argv, ...command.words, ...globalFlags(options), ...command.args];
    case 'fly':
      return [...program.argv, ...flyStream(command, options)];
  }
}

/** Every call that is sure to be made, for `--dry-run`. Throws `UNSUPPORTED`. */
export function plannedArgvs(program: WispProgram, command: WispCommand, options: ArgvOptions): string[][] {
  if (program.dialect === 'wisp') return [argvFor(program, command, options)];
  return flySteps(command, options).map((step) => [...program.argv, ...step]);
}

function globalFlags({ json, engine }: ArgvOptions): string[] {
  return [...(json ? ['--json'] : []), ...(engine === undefined ? [] : ['--engine', engine])];
}
