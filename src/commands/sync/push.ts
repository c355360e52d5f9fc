import { assertSpriteName } from '../../contract/names.ts';
import { formatBytes } from '../../contract/units.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { WreckitVerb } from '../globals.ts';
import { keptBackData, planOf, pushData, pushDirectory, pushText } from '../sprite/push-directory.ts';
import { withSprites } from '../sprite/sprite-tools.ts';

type Options = { readonly force?: boolean };

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--force', 'Overwrite changes made in the sprite'),
  examples: [
    ['wreckit sync push demo', 'The project with uncommitted edits; only changes are sent'],
    ['wreckit sync push demo --force', 'Overwrite what was changed there'],
    ['wreckit sync push demo --dry-run', 'Show how much would be sent'],
  ],
  async run(context) {
    const { args, globals, options, signal } = context;
    const [name] = args;
    return await withSprites(context, async (tools) => {
      const { projectRoot: root } = tools.loaded;
      if (globals.dryRun === true) {
        const plan = await planOf(context, tools, { root });
        const data = {
          dry_run: true,
          files: plan.entries.length,
          total_bytes: plan.totalBytes,
          kept_back: keptBackData(plan.keptBack),
        };
        const text = `would push ${plan.entries.length} files, ${formatBytes(plan.totalBytes)}, to ${name}; which ones: wreckit sync plan ${name}`;
        return { data, text };
      }
      const { id } = await tools.runner.info(name, { signal });
      const push = { name, id, root, dst: DEFAULT_PROJECT_DIR, force: options.force };
      const result = await pushDirectory(context, tools, push);
      return { data: pushData(result), text: pushText(result) };
    });
  },
};
