/** The end of a run, for people and for scripts. */
import { count, landingLines } from '../../agent/runs/landing-summary.ts';
import { hasBegun, hasOwnSprite, type RunRecord, runStateOf } from '../../agent/runs/run-record.ts';
import { failureText } from '../../cli/output.ts';
import { shownMessage } from '../../cli/shown-text.ts';
import { EXIT, exitCodeOf, isErrorCode } from '../../contract/error-codes.ts';
import { formatDuration } from '../../contract/units.ts';

export function runDocument(record: RunRecord): object {
  const { version: _version, process, usage, ...facts } = record;
  return {
    ...facts,
    state: runStateOf(record),
    pid: process?.pid ?? null,
    success: record.outcome === 'completed' && record.faults.length === 0,
    usage:
      usage === null
        ? null
        : {
            input_tokens: usage.inputTokens,
            output_tokens: usage.outputTokens,
            cached_input_tokens: usage.cachedInputTokens,
          },
  };
}

/** 0 only for an agent that is done and whose work is here. */
export function runExitCode({ outcome, faults }: RunRecord): number {
  const [fault] = faults;
  if (fault !== undefined) return isErrorCode(fault.code) ? exitCodeOf(fault.code) : EXIT.failed;
  switch (outcome) {
    case 'completed':
      return EXIT.ok;
    case 'needs_input':
      return EXIT.needsInput;
    case 'timed_out':
      return EXIT.timeout;
    default:
      return EXIT.agentFailed;
  }
}

export function runText(record: RunRecord): string {
  return [...outcomeLines(record), ...workLines(record), ...spriteLines(record)].join('\n');
}

function outcomeLines(record: RunRecord): string[] {
  const { id, outcome, message, hint, question, duration_ms: durationMs, usage, cost_usd: cost } = record;
  const spent = [
    durationMs === null ? null : formatDuration(durationMs),
    usage === null ? null : `${usage.inputTokens + usage.outputTokens} tokens`,
    cost === null ? null : `$${cost.toFixed(4)}`,
  ].filter((part) => part !== null);
  const state = runStateOf(record);
  const ending = state === 'ended' ? (outcome ?? 'unknown') : state;
  const lines = [`run ${id}: ${ending}${spent.length === 0 ? '' : ` (${spent.join(', ')})`}`];
  if (message !== null) lines.push(`  ${shownMessage(message)}`);
  if (question !== null)
    lines.push(
      `  it asks: ${shownMessage(question)}`,
      '  answer it in the prompt of a new run, with --resume',
    );
  if (hint !== null && message !== null) lines.push(`  hint: ${shownMessage(hint)}`);
  return lines;
}

function workLines({
  id,
  sandbox,
  changed_files: changed,
  left_in_sprite: left,
  ignored_files: ignored,
  warnings,
  landing,
  faults,
  message,
}: RunRecord): string[] {
  if (!sandbox) return ['it worked in the project itself: review with git diff'];
  const lines = landing === null ? [] : landingLines(landing);
  if (changed === 0) lines.push('no files were changed');
  if (changed !== null && changed > 0 && landing === null)
    lines.push(`${count(changed, 'changed file')} not landed: wreckit runs land ${id}`);
  for (const warning of warnings) lines.push(`warning: ${shownMessage(warning)}`);
  if (ignored > 0)
    lines.push(`not taken over: ${count(ignored, 'new file')} that git ignores or a pattern excludes`);
  for (const { path, reason } of left.slice(0, 20))
    lines.push(`left in the sprite: ${shownMessage(`${path} ${reason}`)}`);
  for (const fault of faults.filter((each) => each.message !== message))
    lines.push(failureText(fault).trimEnd());
  return lines;
}

function afterInterrupt(record: RunRecord): string {
  if (hasBegun(record)) return `land its work: wreckit runs land ${record.id}`;
  if (hasOwnSprite(record)) return `its agent never ran; remove it: wreckit runs land ${record.id} --kill`;
  return 'its agent never ran: there is nothing to land';
}

function spriteLines(record: RunRecord): string[] {
  const { id, sprite, changed_files: changed } = record;
  if (sprite === null || !sprite.kept) return [];
  if (runStateOf(record) === 'interrupted') {
    return [`its sprite is ${sprite.name}`, afterInterrupt(record)];
  }
  if (runStateOf(record) === 'running')
    return [`its sprite is ${sprite.name}: wreckit sprite attach ${sprite.name}`];
  const why = sprite.kept_because === null ? '' : `: ${sprite.kept_because}`;
  const lines = [`sprite ${sprite.name} is kept${why}`];
  if (changed === null && hasBegun(record)) lines.push(`  its work: wreckit runs land ${id}`);
  return [
    ...lines,
    `  open: wreckit sprite attach ${sprite.name}   remove: wreckit sprite kill ${sprite.name}`,
  ];
}
