import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import { fileMode } from '../../flags.ts';
import type { WispVerb } from '../../globals.ts';

type Options = {
  readonly mode?: string;
};

export const verb: WispVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .option('--mode <octal>', 'Mode of the file; default: 0644', fileMode),
  examples: [
    ['wisp fs write demo project/notes.txt < notes.txt', 'Replace the file atomically'],
    ['wisp fs write demo bin/run --mode 0755 < run.sh', 'Write an executable file'],
  ],
  async run(context) {
    const { args, io, options, signal } = context;
    const [name, path] = args;
    const engine = await createEngine(context);
    const { sizeBytes } = await engine.files.write(name, path, io.stdin, { mode: options.mode, signal });
    return { data: { path, size_bytes: sizeBytes } };
  },
};
