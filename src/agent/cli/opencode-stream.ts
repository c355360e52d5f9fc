/**
 * `opencode run --format json` of OpenCode 1.18, each line with `sessionID`:
 *
 *   {"type":"step_start"}   {"type":"text","part":{"text"}}   {"type":"error","error":{"name","data":{"message"}}}
 *   {"type":"tool_use","part":{"tool","callID","state":{"status":"completed"|"error","input","output"|"error"}}}
 *   {"type":"step_finish","part":{"reason":"tool-calls"|"stop"|…,"tokens":{"input","output","cache"},"cost"}}
 */
import type { AgentEvent } from '../agent-events.ts';
import { asNumber, asObject, asText, type JsonObject, JsonStream } from './json-stream.ts';

export class OpencodeStream extends JsonStream {
  protected readObject(line: JsonObject): AgentEvent[] {
    if (typeof line.sessionID === 'string') this.state.sessionId = line.sessionID;
    const part = asObject(line.part);
    switch (line.type) {
      case 'text':
        return this.said(asText(part.text));
      case 'tool_use':
        return this.#toolUse(part);
      case 'step_finish':
        return this.#stepFinish(part);
      case 'error':
        return this.#error(asObject(line.error));
      default:
        return [];
    }
  }

  #toolUse(part: JsonObject): AgentEvent[] {
    const state = asObject(part.state);
    const id = asText(part.callID);
    const isError = state.status === 'error';
    const content = isError ? asText(state.error) : asText(state.output);
    // It is reported once, when it has ended.
    return [this.started(id, asText(part.tool), state.input), this.finished(id, content, isError)];
  }

  #stepFinish(part: JsonObject): AgentEvent[] {
    const tokens = asObject(part.tokens);
    const cached = asNumber(asObject(tokens.cache).read);
    this.used({
      inputTokens: asNumber(tokens.input) + cached,
      outputTokens: asNumber(tokens.output) + asNumber(tokens.reasoning),
      cachedInputTokens: cached,
    });
    this.state.costUsd = (this.state.costUsd ?? 0) + asNumber(part.cost);
    switch (part.reason) {
      case 'tool-calls':
        // Another step follows.
        this.state.verdict = null;
        break;
      case 'length':
        this.state.verdict = 'limit_reached';
        this.state.message = 'the model reached its limit of output tokens';
        break;
      case 'error':
      case 'content-filter':
        this.state.verdict = 'failed';
        this.state.message = `the model stopped: ${part.reason}`;
        break;
      default:
        // Some providers give no reason for an ordinary end.
        this.state.verdict = 'completed';
        this.state.message = null;
    }
    return [];
  }

  #error(error: JsonObject): AgentEvent[] {
    const message =
      asText(asObject(error.data).message) || asText(error.message) || asText(error.name) || 'error';
    this.state.verdict = 'failed';
    this.state.message = message;
    return [{ type: 'error', message }];
  }
}
