/** Executes an invocation on a host and tells how the agent ended: its own result counts, not the exit code. */
import { redact, secretValuesOf } from '../logging.ts';
import { decodeUtf8, Utf8Stream } from '../process/text.ts';
import type { AgentEvent, AgentResult, AgentRunFacts } from './agent-events.ts';
import type { AgentRunOptions } from './agent-options.ts';
import type { CommandHost, CommandOutcome } from './command-host.ts';
import type { AgentInvocation, StreamConclusion } from './invocation.ts';

export type ExecuteOptions = Pick<
  AgentRunOptions,
  'signal' | 'timeoutSeconds' | 'onStdoutChunk' | 'onStderrChunk' | 'onAgentEvent'
>;

/** The end of stderr that may say why it failed. */
const STDERR_TAIL_BYTES = 4096;

/** Rejects only when the host or one of the callbacks fails, never for the agent's fate. */
export async function executeInvocation(
  invocation: AgentInvocation,
  host: CommandHost,
  options: ExecuteOptions,
): Promise<AgentResult> {
  const startedAt = performance.now();
  const stream = invocation.openStream();
  const stdout = new Utf8Stream();
  const stderr = new Utf8Stream();
  let stderrTail = new Uint8Array(0);
  const emit = async (events: readonly AgentEvent[]): Promise<void> => {
    for (const event of events) await options.onAgentEvent?.(event);
  };
  const outcome = await host.execute({
    argv: invocation.argv,
    env: invocation.env,
    stdin: invocation.stdin,
    files: invocation.files,
    signal: options.signal,
    timeoutMs: options.timeoutSeconds === undefined ? undefined : options.timeoutSeconds * 1000,
    onStdout: async (chunk) => {
      await sendText(options.onStdoutChunk, stdout.push(chunk));
      await emit(stream.push(chunk));
    },
    onStderr: async (chunk) => {
      stderrTail = Buffer.concat([stderrTail, chunk]).subarray(-STDERR_TAIL_BYTES);
      await sendText(options.onStderrChunk, stderr.push(chunk));
    },
  });
  await sendText(options.onStdoutChunk, stdout.end());
  await sendText(options.onStderrChunk, stderr.end());
  await emit(stream.end());
  const conclusion = stream.conclusion();
  const complaint = redact(lastLine(decodeUtf8(stderrTail)), secretValuesOf(invocation.env));
  const durationMs = Math.round(performance.now() - startedAt);
  const result = resultOf({ invocation, outcome, conclusion, complaint, durationMs, options });
  await emit([{ type: 'run_result', ...factsOf(result) }]);
  return result;
}

async function sendText(
  sink: ((text: string) => void | Promise<void>) | undefined,
  text: string,
): Promise<void> {
  if (text !== '') await sink?.(text);
}

interface Ended {
  readonly invocation: AgentInvocation;
  readonly outcome: CommandOutcome;
  readonly conclusion: StreamConclusion;
  /** The last line of stderr. */
  readonly complaint: string;
  readonly durationMs: number;
  readonly options: ExecuteOptions;
}

type Judgement = Pick<AgentRunFacts, 'outcome' | 'message' | 'hint'>;

function resultOf(ended: Ended): AgentResult {
  const { outcome, conclusion, durationMs } = ended;
  const judgement = judge(ended);
  const success = judgement.outcome === 'completed';
  return {
    ...judgement,
    success,
    output: conclusion.text,
    timedOut: judgement.outcome === 'timed_out',
    exitCode: exitCodeOf(outcome),
    completionDetected: conclusion.signalSeen ?? conclusion.verdict === 'completed',
    sessionId: conclusion.sessionId,
    usage: conclusion.usage,
    costUsd: conclusion.costUsd,
    durationMs,
    question: judgement.outcome === 'needs_input' ? conclusion.question : null,
  };
}

function judge(ended: Ended): Judgement {
  const { outcome, conclusion, invocation, options } = ended;
  if (outcome.timedOut)
    return bad('timed_out', `the agent did not end within ${options.timeoutSeconds} s`, 'give it more time');
  if (outcome.aborted) return bad('aborted', 'the agent was stopped');
  if (outcome.spawnError !== null) return bad('failed', outcome.spawnError.message, invocation.installHint);
  switch (conclusion.verdict) {
    case 'completed':
      return good();
    case 'failed':
      return bad('failed', conclusion.message?.trim() ?? endOf(ended));
    case 'needs_input':
      return bad('needs_input', 'the agent asked a question that nobody was there to answer');
    case 'limit_reached':
      return bad('limit_reached', conclusion.message ?? 'the agent reached a limit');
    case null:
      return judgeWithoutResult(ended);
  }
}

function judgeWithoutResult(ended: Ended): Judgement {
  const { outcome, conclusion, invocation } = ended;
  // A place that starts commands for us reports a missing one as a shell does.
  if (outcome.exitCode === 127) return bad('failed', endOf(ended), invocation.installHint);
  if (conclusion.isStructured)
    return bad('failed', `${conclusion.message ?? endOf(ended)}, without a result of the agent`);
  if (conclusion.signalSeen === true) return good();
  if (conclusion.signalSeen === false)
    return bad('failed', `${endOf(ended)}, without the completion signal among the agent's words`);
  return outcome.exitCode === 0 ? good() : bad('failed', endOf(ended));
}

function good(): Judgement {
  return { outcome: 'completed', message: null, hint: null };
}

function bad(outcome: Judgement['outcome'], message: string, hint: string | null = null): Judgement {
  return { outcome, message, hint };
}

/** How the program ended, with what it complained of. */
function endOf({ outcome, invocation, complaint }: Ended): string {
  const program = invocation.argv[0] ?? '';
  const end =
    outcome.signal === null ? `ended with exit ${outcome.exitCode}` : `was ended by ${outcome.signal}`;
  return `${program} ${end}${complaint === '' ? '' : `: ${complaint}`}`;
}

function exitCodeOf({ exitCode, spawnError }: CommandOutcome): number | null {
  if (spawnError === null) return exitCode;
  return spawnError.errno === 'ENOENT' ? 127 : 126;
}

function factsOf(result: AgentResult): AgentRunFacts {
  const { output: _output, timedOut: _timedOut, completionDetected: _completion, ...facts } = result;
  return facts;
}

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line.length <= 300 ? line : `${line.slice(0, 300)}…`;
}
