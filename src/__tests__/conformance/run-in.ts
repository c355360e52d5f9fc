/** A command in a sprite, to its end, over whatever engine. */
import { createHash } from 'node:crypto';
import type { SessionHandle } from '../../engine/engine.ts';
import type { OpenSubject, Outcome, RunSpec } from './subject.ts';

/** A text runs through sh. */
export async function runIn(
  subject: OpenSubject,
  name: string,
  command: string | readonly string[],
  spec: RunSpec = {},
): Promise<Outcome> {
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  if (subject.run !== undefined) return await subject.run(name, argv, spec);
  const { stdin, ...rest } = spec;
  const { engine } = subject;
  await using handle = await engine.openSession(name, {
    command: argv,
    stdin: stdin !== undefined,
    ...rest,
  });
  const fed = stdin === undefined ? Promise.resolve() : feed(handle, stdin);
  const { stdout, stderr } = await outputOf(handle);
  await fed;
  const { exitCode, timedOut } = await handle.exit();
  return { exitCode, stdout, stderr, timedOut };
}

const PIECE_BYTES = 64 * 1024;

async function feed(handle: SessionHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (!(await handle.write(bytes.subarray(at, at + PIECE_BYTES)))) return;
  }
  await handle.closeStdin();
}

/** All of it from the start, until the session has ended; `follow` false: what there is now. */
export async function outputOf(
  handle: SessionHandle,
  request: { stdoutFrom?: number; stderrFrom?: number; follow?: boolean } = {},
): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of handle.output({ follow: true, ...request })) {
    chunks[stream].push(Buffer.from(bytes));
  }
  return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

export async function* piecesOf(...pieces: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}
