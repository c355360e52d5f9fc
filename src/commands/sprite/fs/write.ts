import { fsCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { childStdin } from '../child-streams.ts';
import { mode } from '../flags.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

type Options = {
  readonly mode?: string;
};

export const verb: WreckitVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .option('--mode <octal>', 'Mode of the file; default: 0644', mode),
  examples: [
    ['wreckit sprite fs write demo project/notes.txt < notes.txt', 'Replace the file atomically'],
    ['wreckit sprite fs write demo bin/run --mode 0755 < run.sh', 'Write an executable file'],
  ],
  async run(context) {
    const { args, options } = context;
    const more = options.mode === undefined ? [] : ['--mode', options.mode];
    const command = fsCommand('write', args[0], [args[1]], more);
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [command]);
      const data = await runner.ask(command, {
        signal: context.signal,
        stdin: childStdin(context.io),
        timeoutMs: 0,
      });
      return { data, text: `wrote ${args[1]}` };
    });
  },
};
