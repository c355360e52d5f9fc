/** The last words, on stderr, once the terminal is as it was. */
import type { Io } from '../../cli/io.ts';
import { calledAs } from '../called-as.ts';
import type { TerminalEnd } from './run-terminal.ts';

export interface Ending {
  readonly end: TerminalEnd;
  readonly name: string;
  readonly sessionId: string;
}

export async function tellEnd(io: Io, { end, name, sessionId }: Ending): Promise<void> {
  const comeBack = `come back: ${calledAs(io.env)} attach ${name} ${sessionId}`;
  // The cursor is wherever the session left it.
  switch (end.kind) {
    case 'detach':
      await io.stderr.write(`\r\ndetached, ${sessionId} goes on in ${name}; ${comeBack}\n`);
      return;
    case 'hangup':
      await io.stderr.write(`\r\nthe terminal is given back, ${sessionId} goes on in ${name}; ${comeBack}\n`);
      return;
    case 'exit':
      if (end.exit.signal !== null)
        await io.stderr.write(`\r\n${sessionId} was ended by ${end.exit.signal}\n`);
  }
}
