/**
 * Fly's `sprite` command. None of its calls is translated yet, and what a dialect can't say is `UNSUPPORTED`,
 * never a silent no-op.
 */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import { verbOf, type WispCommand } from '../wisp-command.ts';
import type { WispProgram } from '../wisp-program.ts';
import type { ArgvOptions } from './dialect.ts';

/** Throws `UNSUPPORTED`. */
export function flyArgv(program: WispProgram, command: WispCommand, _options: ArgvOptions): string[] {
  const what = `${quote(program.path)} is Fly's sprite command, whose dialect is not supported`;
  throw new WreckitError('UNSUPPORTED', `${verbOf(command)}: ${what}`, {
    hint: 'set agent.wispPath to a wisp program, or remove it to use the bundled one',
    details: { wisp_path: program.path },
  });
}
