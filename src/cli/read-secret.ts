/** A token for a program: from stdin when that is asked for, else from the terminal, never from argv. */
import { WreckitError } from '../errors.ts';
import { hiddenPrompt } from './hidden-prompt.ts';
import type { Io } from './io.ts';

const MAX_BYTES = 16 * 1024;

export interface SecretRequest {
  readonly io: Io;
  /** `--token-stdin` */
  readonly fromStdin: boolean;
  /** False under `--no-input`. */
  readonly mayAsk: boolean;
  readonly question: string;
  readonly signal: AbortSignal;
}

/** Without white space around it. Throws `USAGE`, `NOT_A_TTY`, the reason of `signal`. */
export async function readSecret({
  io,
  fromStdin,
  mayAsk,
  question,
  signal,
}: SecretRequest): Promise<string> {
  if (fromStdin) return (await wholeStdin(io)).trim();
  const hint = 'hand it over on stdin: login --token-stdin < FILE';
  if (!mayAsk) throw new WreckitError('USAGE', 'login: nothing may be asked (--no-input)', { hint });
  if (!io.isStdinTty)
    throw new WreckitError('NOT_A_TTY', 'login: stdin is not a terminal to paste a token at', { hint });
  return (await hiddenPrompt(io, question, signal)).trim();
}

async function wholeStdin({ stdin }: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += (chunk as Buffer).length;
    if (size > MAX_BYTES)
      throw new WreckitError('USAGE', `login: stdin has more than ${MAX_BYTES} bytes, which is not a token`);
    chunks.push(Buffer.from(chunk as Buffer));
  }
  return Buffer.concat(chunks).toString('utf8');
}
