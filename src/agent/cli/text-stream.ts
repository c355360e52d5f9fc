/** A program that just writes: all of its stdout is its words. */
import { BoundedCapture } from '../../process/capture.ts';
import { decodeUtf8, Utf8Stream } from '../../process/text.ts';
import type { AgentEvent } from '../agent-events.ts';
import type { AgentStream, StreamConclusion } from '../invocation.ts';
import { NO_CONCLUSION } from '../invocation.ts';

const MAX_OUTPUT_BYTES = 1024 * 1024;

export class TextStream implements AgentStream {
  readonly #decoder = new Utf8Stream();
  readonly #output = new BoundedCapture(MAX_OUTPUT_BYTES);

  push(chunk: Uint8Array): AgentEvent[] {
    this.#output.push(chunk);
    return said(this.#decoder.push(chunk));
  }

  end(): AgentEvent[] {
    return said(this.#decoder.end());
  }

  conclusion(): StreamConclusion {
    return { ...NO_CONCLUSION, isStructured: false, text: decodeUtf8(this.#output.toBytes()) };
  }
}

function said(text: string): AgentEvent[] {
  return text === '' ? [] : [{ type: 'assistant_text', text, isPartial: true }];
}
