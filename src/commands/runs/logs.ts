import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../../agent/runs/recorded-run.ts';
import { TerminalFilter } from '../../cli/terminal-filter.ts';
import type { WreckitVerb } from '../globals.ts';
import { runOf, withRunArgument } from './run-argument.ts';

type Options = {
  readonly stderr?: boolean;
  readonly events?: boolean;
};

export const verb: WreckitVerb<Options, [runId: string]> = {
  define: (command) =>
    withRunArgument(command)
      .option('--stderr', 'Print what the agent wrote to stderr')
      .option('--events', 'Print the events, one JSON line each'),
  examples: [
    ['wreckit runs logs', 'What the newest run printed'],
    ['wreckit runs logs latest --events', 'Its events, for scripts'],
  ],
  async run(context) {
    const { args, io, json, options } = context;
    const { store, record } = await runOf(context, args[0]);
    const name = options.events ? 'events.ndjson' : options.stderr ? 'stderr.log' : 'output.log';
    const path = join(store.dirOf(record.id), name);
    const size = sizeOf(path);
    if (json) return { data: { run: record.id, file: path, size_bytes: size } };
    if (size === 0) return {};
    // A terminal gets the words only; a file or a pipe gets every byte.
    const filter = new TerminalFilter();
    const pieces: AsyncIterable<string | Buffer> = createReadStream(
      path,
      io.stdout.isTty ? 'utf8' : undefined,
    );
    for await (const piece of pieces) {
      await io.stdout.write(typeof piece === 'string' ? filter.push(piece) : piece);
    }
    return {};
  },
};
