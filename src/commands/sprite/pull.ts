import { posix, resolve } from 'node:path';
import { pullCommand } from '../../agent/wisp-client/wisp-command.ts';
import { extractSafely } from '../../archive/safe-extract.ts';
import { writeTar } from '../../archive/tar-writer.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { formatBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { handOver } from './hand-over.ts';
import { type LeftThere, pullableMembers } from './pull-filter.ts';
import { plannedCommands, type SpriteTools, withSprites } from './sprite-tools.ts';

type Args = [name: string, src: string, dst: string | undefined];
type Context = WreckitContext<Record<never, never>, Args>;

/**
 * A copy, as with `cp -R`: for a project's changes, merged with what happened here meanwhile, there is
 * `wreckit sync`. Nothing in the archive is trusted, and nothing here changes before all of it is verified.
 */
export const verb: WreckitVerb<Record<never, never>, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<src>', 'Path in the sprite, relative to its home')
      .argument('[dst]', 'Local file or directory; default: same name here; - for a tar stream'),
  examples: [
    ['wreckit sprite pull demo project/dist', 'The directory, as ./dist'],
    ['wreckit sprite pull demo project/report.html /tmp/', 'One file, into a directory'],
    ['wreckit sprite pull demo project - | tar -t', 'A tar stream, as made by the sprite'],
  ],
  async run(context) {
    const { args, globals, json } = context;
    const [name, src, dst] = args;
    const command = pullCommand(name, src);
    if (dst === '-' && json) {
      throw new WreckitError('USAGE', "pull: the archive and the JSON document can't both go to stdout", {
        hint: 'pull to a directory, or leave out --json',
      });
    }
    return await withSprites(context, async (tools) => {
      if (globals.dryRun === true) return plannedCommands(tools.runner, [{ raw: command }]);
      if (dst === '-') return { exitCode: await handOver(context, tools, command) };
      return await pullTo(context, tools, targetOf(context));
    });
  },
};

function targetOf({ args, cwd }: Context): string {
  const [, src, dst] = args;
  const target = dst ?? posix.basename(posix.normalize(src));
  if (target === '' || target === '/' || (dst === undefined && /^\.{1,2}$/.test(target))) {
    throw new WreckitError('USAGE', `pull ${src}: it has no name that its copy could have here`, {
      hint: `say where it goes: wreckit sprite pull ${args[0]} ${src} DIR`,
    });
  }
  return target.endsWith('/') ? `${resolve(cwd, target)}/` : resolve(cwd, target);
}

async function pullTo(context: Context, { runner }: SpriteTools, target: string): Promise<VerbResult> {
  const { args, signal, warn } = context;
  const [name, src] = args;
  const left: LeftThere[] = [];
  const members = pullableMembers(runner.pull(name, src, { signal, timeoutMs: 0 }), (one) => left.push(one));
  const { path, memberCount, totalBytes } = await extractSafely(writeTar(members), target, { signal });
  for (const { path: stays, reason } of left) await warn(`stays in the sprite: ${stays} ${reason}`);
  return {
    data: { path, member_count: memberCount, size_bytes: totalBytes, left_in_sprite: left },
    text: `pulled ${src} to ${path} (${formatBytes(totalBytes)})`,
  };
}
