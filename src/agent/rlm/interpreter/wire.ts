/**
 * The lines between this machine and the supervisor inside a sprite (node-programs.ts): JSON objects, one a line.
 *
 *   to it:    hello · text (a long string, once) · set (globals) · run · inspect · answer (to a call)
 *   from it:  ready · call (a function of ours) · done (of run or inspect) · ended (the evaluator is gone)
 *
 * What comes from it is data from a stranger: shapes are checked, sizes bounded, and nothing of it is evaluated.
 */
import { isObject, textOr } from '../../../contract/json-value.ts';

/** A value for the other side: functions become references, long strings are sent once and named. */
export type Encoded =
  | string
  | number
  | boolean
  | null
  | readonly Encoded[]
  | { readonly fn: number }
  | { readonly text: number }
  | { readonly none: true }
  | { readonly of: { readonly [key: string]: Encoded } };

export type ToSupervisor =
  | {
      readonly type: 'hello';
      readonly nonce: string;
      readonly evaluator: string;
      readonly maxChars: number;
    }
  | { readonly type: 'text'; readonly id: number; readonly text: string }
  | { readonly type: 'set'; readonly globals: Readonly<Record<string, Encoded>> }
  | { readonly type: 'run'; readonly id: number; readonly code: string }
  | { readonly type: 'inspect'; readonly id: number; readonly reserved: readonly string[] }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly value?: unknown;
      readonly error?: CodeError;
    };

export interface CodeError {
  readonly name: string;
  readonly message: string;
}

export interface CallMessage {
  readonly type: 'call';
  readonly id: number;
  readonly ref: number;
  readonly args: readonly unknown[];
}

export interface DoneMessage {
  readonly type: 'done';
  readonly id: number;
  /** Of the last expression, as text; null: it has none. */
  readonly value: string | null;
  readonly error: CodeError | null;
  /** What it printed, its child processes' at the end; long ones shortened with a mark. */
  readonly output: string;
}

export interface EndedMessage {
  readonly type: 'ended';
  readonly code: number | null;
  readonly signal: string | null;
  /** Its last words. */
  readonly printed: string;
}

export type FromSupervisor =
  | { readonly type: 'ready'; readonly version: string }
  | CallMessage
  | DoneMessage
  | EndedMessage;

/** Null for a line that is no message, or has not the nonce. */
export function parseLine(line: string, nonce: string): FromSupervisor | null {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(message) || message.nonce !== nonce) return null;
  switch (message.type) {
    case 'ready':
      return { type: 'ready', version: String(message.version) };
    case 'call': {
      const { id, ref, args } = message;
      if (!isId(id) || !isId(ref) || !Array.isArray(args)) return null;
      return { type: 'call', id, ref, args };
    }
    case 'done':
      return doneOf(message);
    case 'ended': {
      const { code, signal, printed } = message;
      return {
        type: 'ended',
        code: typeof code === 'number' ? code : null,
        signal: typeof signal === 'string' ? signal : null,
        printed: textOr(printed, ''),
      };
    }
    default:
      return null;
  }
}

function doneOf({ id, value, error, output, printed, printedOmitted }: Record<string, unknown>) {
  if (!isId(id)) return null;
  const omitted = typeof printedOmitted === 'number' && printedOmitted > 0 ? printedOmitted : 0;
  const mark = omitted === 0 ? '' : `\n[… ${omitted} characters left out …]\n`;
  const failed = isObject(error)
    ? { name: textOr(error.name, 'Error'), message: textOr(error.message, '') }
    : null;
  const all = textOr(output, '') + textOr(printed, '') + mark;
  return { type: 'done', id, value: textOr(value, null), error: failed, output: all } as const;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

type HostFunction = (...args: unknown[]) => unknown;

/** Longer ones are sent once, however often they stand in the globals. */
const LONG_TEXT_CHARS = 4096;

/** Makes values ready for the other side, and remembers what the references stand for. */
export class Encoder {
  readonly #functions = new Map<number, HostFunction>();
  readonly #texts = new Map<string, number>();
  #lastRef = 0;

  functionOf(ref: number): HostFunction | undefined {
    return this.#functions.get(ref);
  }

  /** Messages for the long strings in it that were not sent yet, then one that sets the globals. */
  encode(globals: Readonly<Record<string, unknown>>): ToSupervisor[] {
    const texts: ToSupervisor[] = [];
    const encoded = this.#entries(globals, texts);
    return [...texts, { type: 'set', globals: encoded }];
  }

  #entries(value: Readonly<Record<string, unknown>>, texts: ToSupervisor[]): Record<string, Encoded> {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#value(item, texts)] as const),
    );
  }

  #value(value: unknown, texts: ToSupervisor[]): Encoded {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    if (typeof value === 'string') return value.length > LONG_TEXT_CHARS ? this.#text(value, texts) : value;
    if (typeof value === 'function') {
      this.#lastRef += 1;
      this.#functions.set(this.#lastRef, value as HostFunction);
      return { fn: this.#lastRef };
    }
    if (Array.isArray(value)) return value.map((item) => this.#value(item, texts));
    if (isObject(value)) return { of: this.#entries(value, texts) };
    return { none: true };
  }

  #text(text: string, texts: ToSupervisor[]): Encoded {
    const known = this.#texts.get(text);
    if (known !== undefined) return { text: known };
    const id = this.#texts.size + 1;
    this.#texts.set(text, id);
    texts.push({ type: 'text', id, text });
    return { text: id };
  }
}
