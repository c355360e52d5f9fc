/**
 * The outside world of a program: streams, environment, working directory. Made once per program
 * (`processIo`) and passed down, so that every verb can be run in a test with streams of its own.
 */
import type { Readable } from 'node:stream';
import { errnoOf, WreckitError } from '../errors.ts';
import { become } from '../process/become.ts';
import { type OutputPort, StandardPort } from './output-port.ts';

export type { OutputPort } from './output-port.ts';

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputPort;
  readonly stderr: OutputPort;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isStdinTty: boolean;
  /** The streams are not those of the process: a child must not inherit them in their place. */
  readonly isInjected?: boolean | undefined;
  /** See process/become.ts; absent where the program is not a process of its own. */
  readonly become?: typeof become;
}

/**
 * The real process. Nothing is opened before it is used: opening a stream costs start-up. `leaving` is aborted
 * when the program is to end.
 */
export function processIo(leaving: AbortSignal): Io {
  let stdout: OutputPort | undefined;
  let stderr: OutputPort | undefined;
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      stdout ??= new StandardPort(1, () => process.stdout, leaving);
      return stdout;
    },
    get stderr() {
      stderr ??= new StandardPort(2, () => process.stderr, leaving);
      return stderr;
    },
    env: process.env,
    get cwd() {
      return currentDir();
    },
    become,
    get isStdinTty() {
      return process.stdin.isTTY === true;
    },
  };
}

/** Throws `USAGE` when somebody has removed it meanwhile: nothing is done in a place nobody named. */
function currentDir(): string {
  try {
    return process.cwd();
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new WreckitError('USAGE', 'current directory: it does not exist any more', {
      hint: 'go to one that does: cd',
      cause,
    });
  }
}
