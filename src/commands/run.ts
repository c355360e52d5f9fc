import { recordedRun } from '../agent/runs/recorded-run.ts';
import type { RunRecord } from '../agent/runs/run-record.ts';
import { watchProcess } from '../agent/watch-process.ts';
import { collected } from '../cli/flag-values.ts';
import { interruptOf } from '../cli/signals.ts';
import type { VerbResult } from '../cli/verb.ts';
import { assertSpriteName } from '../contract/names.ts';
import { parseDurationMs } from '../contract/units.ts';
import { WreckitError } from '../errors.ts';
import type { WreckitVerb } from './globals.ts';
import { parseAgentKind } from './run/agent-choice.ts';
import { type Material, readMaterial } from './run/material.ts';
import { readPrompt } from './run/prompt.ts';
import { agentFlags, type RunContext, type RunFlags, runOptions, toolNames } from './run/run-call.ts';
import { RunConsole } from './run/run-console.ts';
import { runDocument, runExitCode, runText } from './run/run-report.ts';
import { prepareRun, type RunSetup } from './run/run-setup.ts';
import { count, duration, oneOf } from './sprite/flags.ts';

export const verb: WreckitVerb<RunFlags, [words: string[]]> = {
  define: (command) =>
    command
      .argument('[prompt...]', 'Task for the agent; "-" reads stdin; with --parallel, a .jsonl file')
      .option('--file <file>', 'Read the prompt from a file')
      .option(
        '--context <path>',
        'File, directory or "-" (stdin) for an rlm agent to search (repeatable)',
        collected(String),
      )
      .option(
        '--agent <kind>',
        'claude, codex, opencode, amp, rlm or process; default: as configured',
        parseAgentKind,
      )
      .option('--model <name>', 'Model the agent uses')
      .option('--sandbox', 'Run in a sprite, whatever is configured (the default)')
      .option('--no-sandbox', 'Run on this machine, in the project itself, with all your rights')
      .option('--sprite <name>', 'Use this sprite and keep it', assertSpriteName)
      .option('--keep', 'Keep the sprite afterwards')
      .option(
        '--land <mode>',
        'How changes come back: branch, apply, patch or none',
        oneOf('branch', 'apply', 'patch', 'none'),
      )
      .option('--network <mode>', 'Network: none, filtered or open', oneOf('none', 'filtered', 'open'))
      .option('--allow <domain>', 'Extra domain it may reach (repeatable)', collected(String))
      .option('--timeout <duration>', 'Time limit, such as 30m', (text) => parseDurationMs(duration(text)))
      .option('--allowed-tools <names>', 'Tools it may use, comma-separated', toolNames)
      .option('--resume <run>', 'Continue the agent session of an earlier run ("latest")')
      .option('--mock-agent', 'Start no agent; go through the motions')
      .option('--events', 'Print events as they happen, one JSON line each')
      .option('--parallel <n>', 'Run the tasks of a file, one JSON line each, n at a time', count),
  examples: [
    ['wreckit run "fix the failing test"', 'Work in a sprite; the changes come back as a branch'],
    ['wreckit run --agent claude --timeout 30m --file task.md', 'Claude Code, for half an hour at most'],
    [
      'wreckit run --land apply "rename the option"',
      'Apply the changes to the working tree (undo: wreckit runs undo)',
    ],
    [
      'wreckit run --agent rlm --context build.log "why does the build fail?"',
      'Search large material with code in a sprite; the model sees what it prints',
    ],
    ['git diff | wreckit run - --json', 'Prompt from another program, result for a script'],
    [
      'wreckit run --parallel 3 tasks.jsonl',
      'One task per line, {"prompt": "…"}; one sprite and one branch each',
    ],
    ['wreckit run --resume latest "now the other tests"', 'Continue the same agent session'],
  ],
  async run(context) {
    if (context.options.parallel !== undefined) {
      const { runParallel } = await import('./run/parallel.ts');
      return await runParallel(context, context.options.parallel);
    }
    refuseTwoForms(context);
    const prompt = await readPrompt({ words: context.args[0], file: context.options.file }, context);
    const setup = await prepareRun(context, await agentFlags(context));
    const material = await readMaterial(context, setup);
    if (context.globals.dryRun === true) return await describe(context, setup, prompt, material);
    return await runOne(context, setup, prompt, material);
  },
};

/** Two forms of stdout can't be had at once. */
function refuseTwoForms({ json, options }: RunContext): void {
  if (!json || options.events !== true) return;
  throw new WreckitError('USAGE', 'run: --json prints one document, --events a line for each event', {
    hint: 'give one of them; the last line of --events is the run, as --json has it',
  });
}

async function runOne(
  context: RunContext,
  setup: RunSetup,
  prompt: string,
  material: Material,
): Promise<VerbResult> {
  const { globals, io, json, options, signal } = context;
  const { config } = setup;
  const mode = options.events === true ? 'events' : json ? 'silent' : 'text';
  const inner = config.kind === 'sprite' ? config.agent : config;
  using _watch = watchProcess(setup.lifecycle, { signals: false });
  let record: RunRecord | null = null;
  const tellRecord = async ({ id }: RunRecord): Promise<void> => {
    const line = { type: 'run', ...runDocument(setup.store.read(id)) };
    await io.stdout.write(`${JSON.stringify(line)}\n`);
  };
  try {
    await using terminal = new RunConsole({
      io,
      mode,
      quiet: globals.quiet === true,
      isRaw: inner.kind === 'process',
    });
    signal.addEventListener('abort', () => terminal.interrupted(), { once: true });
    record = await recordedRun({
      ...runOptions(context, setup, prompt, material),
      onAgentEvent: (event) => terminal.event(event),
      onStdoutChunk: (text) => terminal.stdout(text),
      onStderrChunk: (text) => terminal.stderr(text),
      onBegin: (begun) => {
        record = begun;
      },
      onStep: (step, facts) => terminal.step(step, facts),
      onProgress: (progress) => terminal.sync(progress),
    });
  } catch (error) {
    // Whoever reads the events learns from them how it ended, whatever kept the agent from running.
    if (mode === 'events' && record !== null) await tellRecord(record);
    throw error;
  }
  const exitCode = interruptOf(signal)?.exitCode ?? runExitCode(record);
  if (mode === 'events') {
    await tellRecord(record);
    return { exitCode };
  }
  return { data: { run: runDocument(record) }, text: runText(record), exitCode };
}

async function describe(
  context: RunContext,
  setup: RunSetup,
  prompt: string,
  material: Material,
): Promise<VerbResult> {
  const { runAgentUnion } = await import('../agent/runner.ts');
  const { output } = await runAgentUnion({ ...runOptions(context, setup, prompt, material), dryRun: true });
  return { data: { dry_run: true, plan: output.trim() }, text: output.trim() };
}
