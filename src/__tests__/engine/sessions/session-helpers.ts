import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type {
  OutputRequest,
  OutputStream,
  SessionExit,
  SessionHandle,
  SessionSpec,
} from '../../../engine/engine.ts';
import type { RunningSprite } from '../../../engine/local/inside.ts';
import { openSession } from '../../../engine/local/sessions/index.ts';
import { sessionsDir } from '../../../engine/local/sessions/session-dir.ts';
import { readFacts, type SessionFacts } from '../../../engine/local/sessions/session-facts.ts';

export interface Outcome extends SessionExit {
  readonly id: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly droppedBytes: number;
}

/** A command as text runs through sh. */
export function commandOf(command: string | readonly string[]): readonly string[] {
  return typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
}

/** Runs a command to its end and collects what it writes. */
export async function runInSession(
  sprite: RunningSprite,
  command: string | readonly string[],
  spec: Partial<SessionSpec> = {},
): Promise<Outcome> {
  await using session = await openSession(sprite, { command: commandOf(command), ...spec });
  const output = await collect(session, { follow: true });
  return { id: session.id, ...output, ...(await session.exit()) };
}

export async function collect(
  session: SessionHandle,
  request: OutputRequest,
): Promise<Pick<Outcome, 'stdout' | 'stderr' | 'droppedBytes'>> {
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  let dropped = 0;
  for await (const { stream, bytes, droppedBytes } of session.output(request)) {
    parts[stream].push(Buffer.from(bytes));
    dropped += droppedBytes;
  }
  return {
    stdout: Buffer.concat(parts.stdout),
    stderr: Buffer.concat(parts.stderr),
    droppedBytes: dropped,
  };
}

/** Reads until the output so far satisfies `isEnough`, and returns it. */
export async function readUntil(
  session: SessionHandle,
  isEnough: (text: string) => boolean,
  request: OutputRequest = {},
): Promise<string> {
  let text = '';
  for await (const { bytes } of session.output({
    follow: true,
    signal: AbortSignal.timeout(15_000),
    ...request,
  })) {
    text += Buffer.from(bytes).toString('latin1');
    if (isEnough(text)) return text;
  }
  throw new Error(`the output ended early: ${JSON.stringify(text)}`);
}

export function pathOf(sprite: RunningSprite, sessionId: string): string {
  return join(sessionsDir(sprite.dir), sessionId);
}

export function factsOf(sprite: RunningSprite, sessionId: string): SessionFacts {
  const facts = readFacts(pathOf(sprite, sessionId));
  if (facts === null) throw new Error(`session ${sessionId}: no record`);
  return facts;
}

/** What the log of standard output takes on the disk. */
export function diskBytes(sprite: RunningSprite, sessionId: string): number {
  return logBytes(pathOf(sprite, sessionId), 'stdout');
}

/** What one log in a directory takes on the disk, bytes. */
export function logBytes(dir: string, stream: OutputStream): number {
  return readdirSync(dir)
    .filter((name) => name.startsWith(`${stream}.`) && name.endsWith('.log'))
    .map((name) => (statSync(join(dir, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}
