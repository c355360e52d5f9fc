import { MAX_EXEC_ANSWER_BYTES } from '../../agent/wisp-client/exec-call.ts';
import { type ExecFlags, execCommand } from '../../agent/wisp-client/wisp-command.ts';
import { collected, envSpec } from '../../cli/flag-values.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { normaliseExec } from '../../contract/normalise-session.ts';
import { parseSizeBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { childStdin } from './child-streams.ts';
import { environmentOf } from './environment.ts';
import { duration, oneOf, size } from './flags.ts';
import { handOver } from './hand-over.ts';
import { commandTimeout, workdir } from './sprite-defaults.ts';
import { plannedCommands, type SpriteTools, withSprites } from './sprite-tools.ts';

type Options = {
  readonly dir?: string;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly user?: string;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly stdin?: boolean;
  readonly timeout?: string;
  readonly maxOutput?: string;
  readonly encoding?: 'utf8' | 'base64';
  readonly detachKey?: string;
};

type Context = WreckitContext<Options, [name: string]>;

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--dir <path>', "Working directory in the sprite; default: the project's")
      .option(
        '--env <name=value>',
        'Set a variable; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'Read NAME=VALUE lines from a file (repeatable)', collected(String))
      .option('--user <name>', 'User: sprite or root; default: sprite')
      .option('--tty', 'Allocate a terminal')
      .option('--detach-key <key>', 'With --tty: key that detaches; default: ctrl-\\')
      .option('--detach', 'Run in the background and print the session id')
      .option('--stdin', 'Forward stdin; otherwise stdin is empty')
      .option('--timeout <duration>', 'Time limit, such as 30s (exit code 7)', duration)
      .option('--max-output <size>', 'With --json: bytes kept of each stream; default: 1MiB', outputSize)
      .option('--encoding <name>', 'With --json: utf8 or base64; default: utf8', oneOf('utf8', 'base64')),
  rest: {
    name: 'command...',
    description: 'Program and arguments, passed on unchanged',
    required: true,
  },
  examples: [
    ['wreckit sprite exec demo -- npm test', "Run the project's tests and exit with their exit code"],
    ['wreckit sprite exec demo --stdin -- tar x < project.tar', 'Pass stdin on'],
    ['wreckit sprite exec demo --json -- ls -la', 'Output and exit code as JSON'],
    ['wreckit sprite exec demo --detach -- npm run dev', 'Keep it running in the background'],
  ],
  // Every other code is the command's own.
  exitCodeOf: () => EXIT.execEngine,
  async run(context) {
    using env = environmentOf(context.options, context);
    return await withSprites(context, async (tools) => {
      const flags = flagsOf(context.options, tools);
      const command = execCommand(context.args[0], context.rest, {
        ...flags,
        env: env.pairs,
        envFiles: env.files,
      });
      const { detach = false } = context.options;
      const isCaptured = context.json || detach;
      if (context.globals.dryRun === true) {
        return plannedCommands(tools.runner, [isCaptured ? command : { raw: command }]);
      }
      if (isCaptured) return await capture(context, tools, command);
      const { stdin = false, tty = false } = context.options;
      const mustReturn = env.hasPrivateFile;
      return { exitCode: await handOver(context, tools, command, { stdin: stdin || tty, mustReturn }) };
    });
  },
};

function flagsOf(options: Options, tools: SpriteTools): ExecFlags {
  const { user, tty, detach, stdin, maxOutput, encoding, detachKey } = options;
  return {
    dir: options.dir ?? workdir(tools),
    commandTimeout: options.timeout ?? commandTimeout(tools),
    ...{ user, tty, detach, stdin, maxOutput, encoding, detachKey },
  };
}

/** Two streams of so many bytes each, of which JSON may make six characters each. */
function answerBytes(maxOutputBytes: number): number {
  return 1024 * 1024 + 12 * maxOutputBytes;
}

/** One document is held in memory here and by whoever reads it. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

function outputSize(text: string): string {
  if (parseSizeBytes(text) <= MAX_OUTPUT_BYTES) return size(text);
  throw new WreckitError('USAGE', `size: ${quote(text)} is more than 32MiB, too much for one document`, {
    hint: 'leave out --json: all bytes are then passed through',
  });
}

async function capture(
  { io, options, signal }: Context,
  { runner }: SpriteTools,
  command: ReturnType<typeof execCommand>,
): Promise<VerbResult> {
  const { stdin = false, detach = false, maxOutput } = options;
  const answer = await runner.ask(command, {
    stdin: stdin ? childStdin(io) : 'ignore',
    signal,
    timeoutMs: 0,
    hasOwnExitCode: true,
    maxBytes: maxOutput === undefined ? MAX_EXEC_ANSWER_BYTES : answerBytes(parseSizeBytes(maxOutput)),
  });
  const data = normaliseExec(answer, detach);
  return { data, text: data.session_id, exitCode: data.exit_code ?? 0 };
}
