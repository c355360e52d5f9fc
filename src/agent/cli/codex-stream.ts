/**
 * `codex exec --json` of Codex 0.169:
 *
 *   {"type":"thread.started","thread_id":…}   {"type":"turn.started"}   {"type":"error","message":…}
 *   {"type":"item.started"|"item.updated"|"item.completed","item":{"id","type":…}}
 *   {"type":"turn.completed","usage":…}       {"type":"turn.failed","error":{"message":…}}
 */
import type { AgentEvent } from '../agent-events.ts';
import { asArray, asNumber, asObject, asText, type JsonObject, JsonStream, textOf } from './json-stream.ts';

export class CodexStream extends JsonStream {
  protected readObject(line: JsonObject): AgentEvent[] {
    switch (line.type) {
      case 'thread.started':
        this.state.sessionId = asText(line.thread_id) || null;
        return [];
      case 'item.started':
        return this.#begin(asObject(line.item));
      case 'item.completed':
        return this.#complete(asObject(line.item));
      case 'turn.completed':
        return this.#turnCompleted(asObject(line.usage));
      case 'turn.failed':
        this.state.verdict = 'failed';
        this.state.message = asText(asObject(line.error).message) || 'the turn failed';
        return [];
      case 'error':
        // "Reconnecting… 1/5" among them: `turn.failed` says when it gave up.
        this.state.message = asText(line.message);
        return [{ type: 'error', message: asText(line.message) }];
      default:
        return [];
    }
  }

  #turnCompleted(usage: JsonObject): AgentEvent[] {
    this.state.verdict = 'completed';
    this.state.message = null;
    // Of the whole thread: a later turn's holds the earlier ones'.
    this.state.usage = {
      inputTokens: asNumber(usage.input_tokens),
      outputTokens: asNumber(usage.output_tokens),
      cachedInputTokens: asNumber(usage.cached_input_tokens),
    };
    return [];
  }

  #begin(item: JsonObject): AgentEvent[] {
    const call = callOf(item);
    return call === null ? [] : [this.started(asText(item.id), call.name, call.input)];
  }

  #complete(item: JsonObject): AgentEvent[] {
    if (item.type === 'agent_message') return this.said(asText(item.text));
    if (item.type === 'error') return [{ type: 'error', message: asText(item.message) }];
    const call = callOf(item);
    if (call === null) return [];
    const id = asText(item.id);
    // A change of files has no beginning.
    const begin = this.tools.has(id) ? [] : [this.started(id, call.name, call.input)];
    return [...begin, this.finished(id, call.output, item.status === 'failed' || item.status === 'declined')];
  }
}

interface ToolCall {
  readonly name: string;
  readonly input: unknown;
  readonly output: string;
}

function callOf(item: JsonObject): ToolCall | null {
  switch (item.type) {
    case 'command_execution': {
      const exit =
        typeof item.exit_code === 'number' && item.exit_code !== 0 ? `exit ${item.exit_code}\n` : '';
      return {
        name: 'shell',
        input: { command: item.command },
        output: exit + asText(item.aggregated_output),
      };
    }
    case 'mcp_tool_call': {
      const failure = asText(asObject(item.error).message);
      return {
        name: `mcp__${asText(item.server)}__${asText(item.tool)}`,
        input: item.arguments,
        output: failure || textOf(asObject(item.result).content),
      };
    }
    case 'file_change': {
      const changes = asArray(item.changes).map((change) => {
        const { kind, path } = asObject(change);
        return `${asText(kind)} ${asText(path)}`;
      });
      return { name: 'file_change', input: { changes: item.changes }, output: changes.join('\n') };
    }
    case 'web_search':
      return { name: 'web_search', input: { query: item.query }, output: '' };
    default:
      return null;
  }
}
