/** Where the prompt comes from: the words of the command line, a file, or standard input. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Io } from '../../cli/io.ts';
import { quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';

const MAX_PROMPT_BYTES = 8 * 1024 * 1024;

export interface PromptSource {
  readonly words: readonly string[];
  readonly file?: string | undefined;
}

/** Throws `USAGE` where there is none, or more than one. */
export async function readPrompt(
  { words, file }: PromptSource,
  { cwd, io }: { cwd: string; io: Io },
): Promise<string> {
  if (file !== undefined && words.length > 0) {
    throw new WreckitError('USAGE', 'run: a prompt and --file were given; one of them is enough');
  }
  const prompt = file === undefined ? await fromWords(words, io) : fromFile(resolve(cwd, file), file);
  if (prompt.trim() !== '') return prompt;
  throw new WreckitError('USAGE', 'run: there is no prompt', {
    hint: 'say what to do: wreckit run "fix the failing test", or wreckit run --file task.md, or … | wreckit run -',
  });
}

async function fromWords(words: readonly string[], io: Io): Promise<string> {
  if (words.length !== 1 || words[0] !== '-') return words.join(' ');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > MAX_PROMPT_BYTES) throw tooLong('standard input');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function fromFile(path: string, shown: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.byteLength > MAX_PROMPT_BYTES) throw tooLong(quote(shown));
    return bytes.toString('utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof WreckitError || errno === undefined) throw error;
    throw new WreckitError('USAGE', `--file: ${quote(shown)} can't be read: ${errno}`, { cause: error });
  }
}

function tooLong(what: string): WreckitError {
  return new WreckitError('USAGE', `prompt: ${what} has more than ${MAX_PROMPT_BYTES} bytes`, {
    hint: 'put large material into the project, and say in the prompt where it lies',
  });
}
