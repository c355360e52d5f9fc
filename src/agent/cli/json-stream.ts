/** What the streams of all agents have in common: lines in, events out, a conclusion kept. */
import type { AgentEvent, AgentUsage } from '../agent-events.ts';
import { addUsage } from '../agent-events.ts';
import type { AgentStream, StreamConclusion } from '../invocation.ts';
import { NO_CONCLUSION } from '../invocation.ts';
import { type JsonLine, JsonLines } from './json-lines.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Words of the agent kept for the completion signal and as the output of a run without a result. */
const MAX_TEXT_CHARACTERS = 1024 * 1024;
/** Of tools that were begun and have not ended. */
const MAX_OPEN_TOOLS = 1000;
const MAX_NAME_CHARACTERS = 256;

export abstract class JsonStream implements AgentStream {
  readonly #lines = new JsonLines();
  /** Names of tools by the id of their use. */
  protected readonly tools = new Map<string, string>();
  protected state: { -readonly [K in keyof StreamConclusion]: StreamConclusion[K] } = { ...NO_CONCLUSION };

  push(chunk: Uint8Array): AgentEvent[] {
    return this.#lines.push(chunk).flatMap((line) => this.#read(line));
  }

  end(): AgentEvent[] {
    return this.#lines.end().flatMap((line) => this.#read(line));
  }

  conclusion(): StreamConclusion {
    return this.state;
  }

  /** Events of one line, in order; lines of a form that isn't known mean nothing. */
  protected abstract readObject(line: JsonObject): AgentEvent[];

  protected said(text: string): AgentEvent[] {
    if (text === '') return [];
    this.state.text = text.slice(0, MAX_TEXT_CHARACTERS);
    return [{ type: 'assistant_text', text }];
  }

  protected started(toolUseId: string, toolName: string, input: unknown): AgentEvent {
    // The agent's words for both: an answer whose question is forgotten is that of an unknown tool.
    if (this.tools.size >= MAX_OPEN_TOOLS) this.tools.delete(this.tools.keys().next().value ?? '');
    if (toolUseId.length <= MAX_NAME_CHARACTERS)
      this.tools.set(toolUseId, toolName.slice(0, MAX_NAME_CHARACTERS));
    return { type: 'tool_started', toolUseId, toolName, input };
  }

  protected finished(toolUseId: string, content: string, isError: boolean): AgentEvent {
    const toolName = this.tools.get(toolUseId) ?? 'unknown';
    this.tools.delete(toolUseId);
    return isError
      ? { type: 'tool_error', toolUseId, toolName, message: content }
      : { type: 'tool_result', toolUseId, toolName, content };
  }

  protected used(usage: AgentUsage): void {
    this.state.usage = addUsage(this.state.usage, usage);
  }

  #read(line: JsonLine): AgentEvent[] {
    switch (line.kind) {
      case 'value':
        return this.readObject(line.value);
      case 'text':
        return [
          { type: 'error', message: `a line of the agent's output is not JSON: ${shorten(line.text)}` },
        ];
      case 'too_long':
        return [{ type: 'error', message: `a line of the agent's output was dropped: ${line.bytes} bytes` }];
    }
  }
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

export function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Text of what may be a string, a list of blocks with text, or anything else. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) {
    return content
      .map((block) => asText(asObject(block).text) || `[${asText(asObject(block).type) || 'data'}]`)
      .join('\n');
  }
  return content === undefined || content === null ? '' : JSON.stringify(content);
}
