/** The frames of `exec`, as events. Without a terminal: one byte that says what it is, then the bytes. */
import { isObject, numberOr, textOr, tryParseObject } from '../../contract/json-value.ts';
import type { OutputStream, SessionExit } from '../engine.ts';
import type { ChannelMessage } from './api-channel.ts';

const FRAME = { stdin: 0, stdout: 1, stderr: 2, exit: 3, stdinEnd: 4 } as const;

export interface SessionInfoFrame {
  readonly sessionId: string;
  readonly tty: boolean;
  readonly createdAt: string | null;
  readonly command: string;
  readonly cols: number;
  readonly rows: number;
  /** Where in the output what follows begins; null: the server can't say. */
  readonly stdoutOffset: number | null;
  readonly stderrOffset: number | null;
}

export type ExecEvent =
  | { readonly kind: 'info'; readonly info: SessionInfoFrame }
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly bytes: Buffer }
  | { readonly kind: 'dropped'; readonly stream: OutputStream; readonly bytes: number }
  /** `isFull`: the server has said all it knows of the end. */
  | { readonly kind: 'exit'; readonly exit: SessionExit; readonly isFull: boolean }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'end'; readonly code: number | null; readonly reason: string }
  | { readonly kind: 'other' };

export function execEvent(message: ChannelMessage, tty: boolean): ExecEvent {
  switch (message.kind) {
    case 'end':
      return message;
    case 'text':
      return textEvent(message.text);
    case 'bytes':
      return tty ? { kind: 'output', stream: 'stdout', bytes: message.bytes } : frameEvent(message.bytes);
  }
}

export function stdinFrame(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(bytes.length + 1);
  frame[0] = FRAME.stdin;
  frame.set(bytes, 1);
  return frame;
}

export function stdinEndFrame(): Buffer {
  return Buffer.of(FRAME.stdinEnd);
}

function frameEvent(frame: Buffer): ExecEvent {
  const bytes = frame.subarray(1);
  switch (frame[0]) {
    case FRAME.stdout:
      return { kind: 'output', stream: 'stdout', bytes };
    case FRAME.stderr:
      return { kind: 'output', stream: 'stderr', bytes };
    case FRAME.exit:
      // Without its byte it says nothing: no code is made up.
      return bytes[0] === undefined ? { kind: 'other' } : exitEvent(bytes[0], {}, false);
    default:
      return { kind: 'other' };
  }
}

function textEvent(text: string): ExecEvent {
  const value = tryParseObject(text);
  if (!isObject(value)) return { kind: 'other' };
  switch (value.type) {
    case 'session_info':
      return { kind: 'info', info: infoOf(value) };
    case 'exit': {
      const code = numberOr(value.exit_code, null);
      return code === null ? { kind: 'other' } : exitEvent(code, value, true);
    }
    case 'output_dropped': {
      const stream = value.stream === 'stderr' ? 'stderr' : 'stdout';
      return { kind: 'dropped', stream, bytes: numberOr(value.bytes, 0) };
    }
    case 'error':
      return {
        kind: 'error',
        message: textOr(value.message, textOr(value.error, 'the server reports an error')),
      };
    default:
      return { kind: 'other' };
  }
}

function exitEvent(exitCode: number, facts: Readonly<Record<string, unknown>>, isFull: boolean): ExecEvent {
  const exit = { exitCode, signal: textOr(facts.signal, null), timedOut: facts.timed_out === true };
  return { kind: 'exit', exit, isFull };
}

function infoOf(value: Readonly<Record<string, unknown>>): SessionInfoFrame {
  const id = value.session_id;
  const created = numberOr(value.created, null);
  return {
    sessionId: typeof id === 'number' ? String(id) : textOr(id, ''),
    tty: value.tty === true,
    createdAt: created === null || created <= 0 ? null : new Date(created * 1000).toISOString(),
    command: textOr(value.command, ''),
    cols: numberOr(value.cols, 0),
    rows: numberOr(value.rows, 0),
    stdoutOffset: numberOr(value.stdout_offset, null),
    stderrOffset: numberOr(value.stderr_offset, null),
  };
}
