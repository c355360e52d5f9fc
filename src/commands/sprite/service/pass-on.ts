/** What the service verbs share: wisp does it, and says it in its own words. */
import type { WispCommand } from '../../../agent/wisp-client/wisp-command.ts';
import type { VerbResult } from '../../../cli/verb.ts';
import type { AnyContext } from '../../context.ts';
import { handOver } from '../hand-over.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

/** `isStream`: with `--json`, too, it prints as it goes, one document a line. */
export async function passOn(
  context: AnyContext & Parameters<typeof handOver>[0],
  command: WispCommand,
  { isStream = false }: { readonly isStream?: boolean } = {},
): Promise<VerbResult> {
  const { globals, json, signal } = context;
  return await withSprites(context, async (tools) => {
    const { runner } = tools;
    if (globals.dryRun === true) return plannedCommands(runner, [json ? command : { raw: command }]);
    if (json && !isStream) return { data: await runner.ask(command, { signal }) };
    return { exitCode: await handOver(context, tools, command, { json }) };
  });
}
