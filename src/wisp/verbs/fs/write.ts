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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .option('--mode <octal>', 'mode of the file: 0644 when absent', fileMode),
  examples: [
    ['wisp fs write demo project/notes.txt < notes.txt', 'replaces the file in one step'],
    ['wisp fs write demo bin/run --mode 0755 < run.sh', 'one that can be run'],
  ],
  async run(context) {
    const { args, io, options, signal } = context;
    const [name, path] = args;
    const engine = await createEngine(context);
    const { sizeBytes } = await engine.files.write(name, path, io.stdin, { mode: options.mode, signal });
    return { data: { path, size_bytes: sizeBytes } };
  },
};
