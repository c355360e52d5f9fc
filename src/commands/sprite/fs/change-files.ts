/** The verbs that change files and have nothing to tell but that they did. */
import { type FsVerb, fsCommand } from '../../../agent/wisp-client/wisp-command.ts';
import type { VerbResult } from '../../../cli/verb.ts';
import type { AnyContext } from '../../context.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

export interface FileChange {
  readonly verb: FsVerb;
  readonly name: string;
  readonly paths: readonly string[];
  /** Flags and words after the paths. */
  readonly more?: readonly string[];
  /** What people see. */
  readonly text: string;
}

export async function changeFiles(
  context: AnyContext,
  { verb, name, paths, more, text }: FileChange,
): Promise<VerbResult> {
  const command = fsCommand(verb, name, paths, more);
  return await withSprites(context, async ({ runner }) => {
    if (context.globals.dryRun === true) return plannedCommands(runner, [command]);
    return { data: await runner.ask(command, { signal: context.signal }), text };
  });
}
