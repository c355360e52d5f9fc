import { MAX_EXEC_ANSWER_BYTES } from '../../agent/sprite-runner.ts';
import { type ExecFlags, execCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { normaliseExec } from '../../contract/normalise-session.ts';
import { parseSizeBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { childStdin } from './child-streams.ts';
import { environmentOf } from './environment.ts';
import { collected, duration, envSpec, oneOf, size } from './flags.ts';
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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--dir <path>', "directory inside the sprite; the project's when absent")
      .option(
        '--env <name=value>',
        'variable of the command; NAME alone: as here (again for more)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'NAME=VALUE lines (again for more)', collected(String))
      .option('--user <name>', 'sprite (the default) or root')
      .option('--tty', 'give it a terminal')
      .option('--detach-key <key>', 'with --tty: key that leaves it running, ctrl-\\ when absent')
      .option('--detach', 'return once it runs; see it with: wreckit sprite logs')
      .option('--stdin', 'give it the standard input of this command')
      .option('--timeout <duration>', 'end it after this long, such as 30s', duration)
      .option(
        '--max-output <size>',
        'with --json: most output kept of each stream, 1MiB when absent',
        outputSize,
      )
      .option('--encoding <name>', 'with --json: utf8 (the default) or base64', oneOf('utf8', 'base64')),
  rest: {
    name: 'command...',
    description: 'the program and its arguments, handed over as they are',
    required: true,
  },
  examples: [
    ['wreckit sprite exec demo -- npm test', "runs the project's tests, and ends with their exit code"],
    ['wreckit sprite exec demo --stdin -- tar x < project.tar', 'with standard input'],
    ['wreckit sprite exec demo --json -- ls -la', 'output and exit code as JSON'],
    ['wreckit sprite exec demo --detach -- npm run dev', 'goes on when this command has ended'],
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
