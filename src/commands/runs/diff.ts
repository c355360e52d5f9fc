import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shownText } from '../../cli/shown-text.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { runOf, withRunArgument } from './run-argument.ts';

export const verb: WreckitVerb<Record<never, never>, [runId: string]> = {
  define: withRunArgument,
  examples: [
    ['wreckit runs diff', 'What the newest run changed'],
    ['wreckit runs diff latest | git apply --check', 'Check whether it still applies'],
  ],
  async run(context) {
    const { args, io, json, signal } = context;
    const { store, record } = await runOf(context, args[0]);
    const dir = join(store.dirOf(record.id), 'changes');
    if (!existsSync(join(dir, 'changes.json'))) {
      throw new WreckitError('CONFLICT', `run ${record.id}: its changes were not collected`, {
        hint: record.sprite?.kept
          ? `collect them: wreckit runs land ${record.id} --land none`
          : 'its sprite is gone',
      });
    }
    const { loadChangeSet } = await import('../../sync/change-set.ts');
    const { landPatch } = await import('../../sync/land-patch.ts');
    const file = join(dir, `show-${process.pid}.patch`);
    try {
      const { stat } = await landPatch({ changeSet: loadChangeSet(dir), file, signal });
      const patch = readFileSync(file);
      const { fileCount, insertions, deletions } = stat;
      if (json)
        return {
          data: { run: record.id, files: fileCount, insertions, deletions, patch: patch.toString('utf8') },
        };
      // A file's content must not steer the terminal, nor hide from who reviews it.
      await io.stdout.write(io.stdout.isTty ? shownPatch(patch.toString('utf8')) : patch);
      return {};
    } finally {
      rmSync(file, { force: true });
    }
  },
};

function shownPatch(patch: string): string {
  return patch
    .split('\n')
    .map((line) => (line.endsWith('\r') ? `${shownText(line.slice(0, -1))}\r` : shownText(line)))
    .join('\n');
}
