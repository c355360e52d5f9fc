/**
 * `--output-format stream-json` of Claude Code 2.1, and Amp's `--stream-json`, which has the same form:
 *
 *   {"type":"system","subtype":"init","session_id":…}         {"type":"system","subtype":"api_retry",…}
 *   {"type":"assistant","message":{"content":[{"type":"text"…}|{"type":"tool_use","id","name","input"}]}}
 *   {"type":"user","message":{"content":[{"type":"tool_result","tool_use_id","content","is_error"}]}}
 *   {"type":"result","subtype":"success"|"error_…","is_error":…,"result":…,"usage":…,"total_cost_usd":…}
 *
 * `subtype` is "success" even when `is_error` is true; the exit code says nothing.
 */
import type { AgentEvent, AgentUsage } from '../agent-events.ts';
import { asArray, asNumber, asObject, asText, type JsonObject, JsonStream, textOf } from './json-stream.ts';

export class ClaudeStream extends JsonStream {
  protected readObject(line: JsonObject): AgentEvent[] {
    if (typeof line.session_id === 'string') this.state.sessionId = line.session_id;
    switch (line.type) {
      case 'system':
        return this.#system(line);
      case 'assistant':
        return this.#assistant(line);
      case 'user':
        return this.#toolResults(line);
      case 'result':
        return this.#result(line);
      default:
        return [];
    }
  }

  #system(line: JsonObject): AgentEvent[] {
    if (line.subtype !== 'api_retry') return [];
    const status = typeof line.error_status === 'number' ? `HTTP ${line.error_status} ` : '';
    const attempt = `${asNumber(line.attempt)} of ${asNumber(line.max_retries)}`;
    return [
      {
        type: 'error',
        message: `the model did not answer: ${status}${asText(line.error)}, retry ${attempt}`,
      },
    ];
  }

  #assistant(line: JsonObject): AgentEvent[] {
    const message = asObject(line.message);
    // A subagent speaks to the agent, not to us.
    const isNested = typeof line.parent_tool_use_id === 'string';
    // Amp tells the usage with each message and none at the end; Claude repeats a message's for each block.
    const usage = message.id === undefined ? usageOf(message.usage) : null;
    if (usage !== null) this.used(usage);
    return asArray(message.content).flatMap((item) => {
      const block = asObject(item);
      if (block.type === 'text' && !isNested) return this.said(asText(block.text));
      if (block.type === 'tool_use') return [this.started(asText(block.id), asText(block.name), block.input)];
      return [];
    });
  }

  #toolResults(line: JsonObject): AgentEvent[] {
    return asArray(asObject(line.message).content).flatMap((item) => {
      const block = asObject(item);
      if (block.type !== 'tool_result') return [];
      return [this.finished(asText(block.tool_use_id), textOf(block.content), block.is_error === true)];
    });
  }

  #result(line: JsonObject): AgentEvent[] {
    const subtype = asText(line.subtype);
    const isError = line.is_error === true || subtype.startsWith('error');
    const words = asText(line.result);
    this.state.question = questionOf(line);
    this.state.usage = usageOf(line.usage) ?? this.state.usage;
    if (typeof line.total_cost_usd === 'number') this.state.costUsd = line.total_cost_usd;
    if (subtype.startsWith('error_max')) this.state.verdict = 'limit_reached';
    else if (isError) this.state.verdict = 'failed';
    else this.state.verdict = this.state.question === null ? 'completed' : 'needs_input';
    if (isError) this.state.message = words || asText(line.error) || textOf(line.errors) || subtype;
    else if (words !== '') this.state.text = words;
    return [];
  }
}

/** A question that the user tool was denied to ask, for nobody was there. */
function questionOf(result: JsonObject): string | null {
  for (const item of asArray(result.permission_denials)) {
    const denial = asObject(item);
    if (denial.tool_name !== 'AskUserQuestion') continue;
    const questions = asArray(asObject(denial.tool_input).questions);
    return questions.map((question) => asText(asObject(question).question)).join('\n') || null;
  }
  return null;
}

function usageOf(value: unknown): AgentUsage | null {
  const usage = asObject(value);
  if (typeof usage.input_tokens !== 'number') return null;
  const cached = asNumber(usage.cache_read_input_tokens);
  return {
    inputTokens: asNumber(usage.input_tokens) + asNumber(usage.cache_creation_input_tokens) + cached,
    outputTokens: asNumber(usage.output_tokens),
    cachedInputTokens: cached,
  };
}
