/**
 * The output of any command: the first line decides whether it is one of the streams known here, else it is
 * plain text. The completion signal is looked for in the agent's own words alone.
 */
import { decodeUtf8 } from '../../process/text.ts';
import type { AgentEvent } from '../agent-events.ts';
import type { CompletionSignal } from '../completion-signal.ts';
import type { AgentStream, StreamConclusion } from '../invocation.ts';
import { ClaudeStream } from './claude-stream.ts';
import { CodexStream } from './codex-stream.ts';
import { parseLine } from './json-lines.ts';
import { OpencodeStream } from './opencode-stream.ts';
import { TextStream } from './text-stream.ts';

/** A first line longer than this is nobody's greeting. */
const MAX_SNIFF_BYTES = 256 * 1024;

export class ProcessStream implements AgentStream {
  readonly #signal: CompletionSignal | null;
  #stream: AgentStream | null = null;
  #held: Uint8Array = new Uint8Array(0);

  constructor(signal: CompletionSignal | null) {
    this.#signal = signal;
  }

  push(chunk: Uint8Array): AgentEvent[] {
    if (this.#stream !== null) return this.#listen(this.#stream.push(chunk));
    this.#held = Buffer.concat([this.#held, chunk]);
    const line = firstLine(this.#held);
    if (line === null && this.#held.length < MAX_SNIFF_BYTES && mayBeJson(this.#held)) return [];
    return this.#open(line ?? '');
  }

  end(): AgentEvent[] {
    const events = this.#stream === null ? this.#open(decodeUtf8(this.#held)) : [];
    return [...events, ...this.#listen(this.#stream?.end() ?? [])];
  }

  conclusion(): StreamConclusion {
    const conclusion = (this.#stream ?? new TextStream()).conclusion();
    return { ...conclusion, signalSeen: this.#signal?.isSeen() ?? null };
  }

  #open(line: string): AgentEvent[] {
    this.#stream = streamFor(line.trim());
    const held = this.#held;
    this.#held = new Uint8Array(0);
    return held.length === 0 ? [] : this.#listen(this.#stream.push(held));
  }

  #listen(events: AgentEvent[]): AgentEvent[] {
    for (const event of events) {
      if (event.type === 'assistant_text') this.#signal?.push(event.text);
    }
    return events;
  }
}

/** The first line that isn't empty, once it is whole. */
function firstLine(bytes: Uint8Array): string | null {
  const lines = decodeUtf8(bytes).split('\n');
  return lines.slice(0, -1).find((line) => line.trim() !== '') ?? null;
}

function mayBeJson(bytes: Uint8Array): boolean {
  const begin = decodeUtf8(bytes.subarray(0, 256)).trimStart();
  return begin === '' || begin.startsWith('{');
}

function streamFor(line: string): AgentStream {
  const parsed = parseLine(line);
  if (parsed.kind !== 'value') return new TextStream();
  const { type, subtype, is_error, sessionID } = parsed.value;
  if ((type === 'system' && subtype === 'init') || (type === 'result' && typeof is_error === 'boolean'))
    return new ClaudeStream();
  if (type === 'thread.started') return new CodexStream();
  if (typeof type === 'string' && typeof sessionID === 'string') return new OpencodeStream();
  return new TextStream();
}
