/** `wreckit run --parallel N tasks.jsonl`: one sprite and one branch for each task. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { recordedRun } from '../../agent/runs/recorded-run.ts';
import type { RunRecord } from '../../agent/runs/run-record.ts';
import { watchProcess } from '../../agent/watch-process.ts';
import { say } from '../../cli/output.ts';
import { createProgress } from '../../cli/progress.ts';
import { interruptOf } from '../../cli/signals.ts';
import { renderTable } from '../../cli/table.ts';
import { printable } from '../../cli/text-width.ts';
import type { TextFormat, VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { isObject } from '../../contract/json-value.ts';
import { quote } from '../../contract/names.ts';
import { formatDuration } from '../../contract/units.ts';
import { errnoOf, toWreckitError, WreckitError } from '../../errors.ts';
import { type Material, readMaterial } from './material.ts';
import { agentFlags, type RunContext, runOptions } from './run-call.ts';
import { runDocument, runExitCode } from './run-report.ts';
import { prepareRun, type RunSetup } from './run-setup.ts';

interface Task {
  readonly id: string;
  readonly prompt: string;
}

interface Work {
  readonly tasks: readonly Task[];
  readonly parallel: number;
  readonly material: Material;
}

interface TaskOutcome {
  readonly task: Task;
  /** null: the agent did not run. */
  readonly record: RunRecord | null;
  readonly error: WreckitError | null;
}

export async function runParallel(context: RunContext, parallel: number): Promise<VerbResult> {
  refuseFlagsOfOneRun(context);
  const tasks = readTasks(context);
  const setup = await prepareRun(context, await agentFlags(context));
  assertFits(context, setup, parallel);
  const material = await readMaterial(context, setup);
  if (context.globals.dryRun === true) {
    const lines = tasks.map(({ id, prompt }) => `would run task ${id}: ${quote(prompt)}`);
    return { data: { dry_run: true, tasks }, text: lines.join('\n') };
  }
  using _watch = watchProcess(setup.lifecycle, { signals: false });
  const outcomes = await runAll(context, setup, { tasks, parallel, material });
  const isFine = outcomes.every(({ record }) => record !== null && runExitCode(record) === EXIT.ok);
  return {
    data: { runs: outcomes.map(outcomeData) },
    text: (format) => outcomeTable(outcomes, format),
    exitCode: interruptOf(context.signal)?.exitCode ?? (isFine ? EXIT.ok : EXIT.agentFailed),
  };
}

async function runAll(
  context: RunContext,
  setup: RunSetup,
  { tasks, parallel, material }: Work,
): Promise<TaskOutcome[]> {
  const outcomes: (TaskOutcome | undefined)[] = tasks.map(() => undefined);
  const steps = new Map<string, string>();
  await using progress = createProgress(context.io, {
    json: context.json,
    quiet: context.globals.quiet === true,
  });
  const show = () => {
    const done = outcomes.filter((outcome) => outcome !== undefined).length;
    const now = [...steps].map(([id, step]) => `${id}: ${step}`).join(', ');
    void progress.update(`${done} of ${tasks.length} done; ${now}`);
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tasks.length && !context.signal.aborted) {
      const index = next;
      next += 1;
      const task = tasks[index];
      if (task === undefined) return;
      outcomes[index] = await runTask(context, setup, { task, material }, (step) => {
        steps.set(task.id, step);
        show();
      });
      steps.delete(task.id);
      await progress.clear();
      await tell(context, outcomes[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, tasks.length) }, worker));
  return outcomes.map((outcome, index) => outcome ?? notRun(tasks[index]));
}

async function runTask(
  context: RunContext,
  setup: RunSetup,
  { task, material }: { readonly task: Task; readonly material: Material },
  onStep: (step: string) => void,
): Promise<TaskOutcome> {
  try {
    const record = await recordedRun({
      ...runOptions(context, setup, task.prompt, material),
      itemId: task.id,
      onStep,
    });
    return { task, record, error: null };
  } catch (error) {
    return { task, record: null, error: toWreckitError(error) };
  }
}

async function tell({ io, globals, json }: RunContext, outcome: TaskOutcome | undefined): Promise<void> {
  if (outcome === undefined || json || globals.quiet === true) return;
  await say(io, `· ${printable(`task ${outcome.task.id}: ${endOf(outcome)}`)}\n`);
}

function notRun(task: Task | undefined): TaskOutcome {
  return {
    task: task ?? { id: '?', prompt: '' },
    record: null,
    error: new WreckitError('CONFLICT', 'it was not begun'),
  };
}

/** What says something on one run says nothing on several. */
function refuseFlagsOfOneRun({ options: { events, resume } }: RunContext): void {
  const flag = events === true ? '--events' : resume === undefined ? null : '--resume';
  if (flag === null) return;
  throw new WreckitError('USAGE', `run --parallel: ${flag} is for a single run`, {
    hint:
      flag === '--events'
        ? 'use --json for one document at the end; the events of each run: wreckit runs logs RUN --events'
        : 'resume the runs one by one',
  });
}

/** One JSON value a line: a text, or an object with `prompt` and perhaps `id`. Throws `USAGE` with the line. */
function readTasks({ args: [words], cwd, options }: RunContext): Task[] {
  const [file, ...more] = words;
  if (file === undefined || more.length > 0 || options.file !== undefined) {
    throw new WreckitError('USAGE', 'run --parallel: give one file of tasks', {
      hint: 'a file with lines such as {"id": "one", "prompt": "fix the failing test"}',
    });
  }
  const tasks = readLines(resolve(cwd, file), file).flatMap((line, index) =>
    line.trim() === '' ? [] : [parseTask(line, index + 1, file)],
  );
  const ids = new Set(tasks.map(({ id }) => id));
  if (tasks.length > 0 && ids.size === tasks.length) return tasks;
  throw new WreckitError(
    'USAGE',
    `tasks: ${quote(file)} ${tasks.length === 0 ? 'has none' : 'has an id twice'}`,
  );
}

function readLines(path: string, shown: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new WreckitError('USAGE', `tasks: ${quote(shown)} can't be read: ${errno}`, { cause: error });
  }
}

function parseTask(line: string, number: number, file: string): Task {
  const bad = (why: string) =>
    new WreckitError('USAGE', `tasks: line ${number} of ${quote(file)} ${why}`, {
      hint: 'each line is a JSON text, or an object such as {"id": "one", "prompt": "…"}',
    });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad('is not JSON');
  }
  const task = typeof value === 'string' ? { prompt: value } : value;
  if (!isObject(task) || typeof task.prompt !== 'string' || task.prompt.trim() === '')
    throw bad('has no prompt');
  const unknown = Object.keys(task).find((key) => key !== 'id' && key !== 'prompt');
  if (unknown !== undefined) throw bad(`has an unknown key ${quote(unknown)}`);
  if (task.id !== undefined && typeof task.id !== 'string') throw bad('has an id that is not a string');
  return { id: typeof task.id === 'string' ? task.id : String(number), prompt: task.prompt };
}

function assertFits({ options }: RunContext, { config }: RunSetup, parallel: number): void {
  if (config.kind !== 'sprite') {
    throw new WreckitError(
      'USAGE',
      'run --parallel: agents in one working tree would undo each other; it needs sprites',
      {
        hint: 'leave out --no-sandbox',
      },
    );
  }
  if (options.sprite !== undefined || config.vmName !== undefined) {
    throw new WreckitError(
      'USAGE',
      'run --parallel: each task has a sprite of its own, so none can be named',
    );
  }
  if (config.land === 'apply') {
    throw new WreckitError(
      'USAGE',
      'run --parallel: several results cannot all be applied to one working tree',
      {
        hint: 'use --land branch: one branch for each task',
      },
    );
  }
  if (parallel > config.maxVMs) {
    throw new WreckitError(
      'SPRITE_LIMIT',
      `run --parallel: ${parallel} at a time, but maxVMs allows ${config.maxVMs}`,
      {
        details: { max_vms: config.maxVMs },
      },
    );
  }
}

function outcomeData({ task, record, error }: TaskOutcome): object {
  const fault = error === null ? null : { code: error.code, message: error.message, hint: error.hint };
  return { task: task.id, run: record === null ? null : runDocument(record), error: fault };
}

function outcomeTable(outcomes: readonly TaskOutcome[], format: TextFormat): string {
  const rows = outcomes.map((outcome) => [
    outcome.task.id,
    outcome.record?.outcome ?? 'not run',
    outcome.record?.duration_ms == null ? '-' : formatDuration(outcome.record.duration_ms),
    outcome.record?.changed_files == null ? '-' : String(outcome.record.changed_files),
    outcome.record?.landing?.branch ?? outcome.record?.landing?.patch_file ?? endOf(outcome),
  ]);
  const columns = [
    { header: 'TASK' },
    { header: 'OUTCOME' },
    { header: 'TIME', align: 'right' },
    { header: 'FILES', align: 'right' },
    { header: 'RESULT', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
}

function endOf({ record, error }: TaskOutcome): string {
  if (error !== null) return error.message;
  return record?.message ?? record?.landing?.branch ?? record?.outcome ?? 'unknown';
}
