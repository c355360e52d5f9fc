import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pushCommand, pushFileCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { formatBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { childStdin } from './child-streams.ts';
import { keptBackData, keptBackLines, planOf, pushData, pushDirectory, pushText } from './push-directory.ts';
import { plannedCommands, type SpriteTools, withSprites } from './sprite-tools.ts';

type Options = {
  readonly all?: boolean;
  readonly force?: boolean;
};

type Context = WreckitContext<Options, [name: string, src: string, dst: string | undefined]>;

/**
 * A directory goes as a project: what git would track, without secrets, and only what has changed. A file
 * named outright goes as it is; `-` is a tar stream on stdin, unpacked into DST.
 */
export const verb: WreckitVerb<Options, [name: string, src: string, dst: string | undefined]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('[src]', 'Local file or directory; - for a tar stream on stdin', '.')
      .argument('[dst]', 'Path in the sprite; default: the project directory')
      .option('--all', 'Include what git ignores and the configuration excludes')
      .option('--force', 'Overwrite changes made in the sprite'),
  examples: [
    ['wreckit sprite push demo', "The project in this directory, to the sprite's project directory"],
    ['wreckit sprite push demo --dry-run', 'What would be sent and what stays here'],
    ['wreckit sprite push demo ./dist /srv/site --all', 'A directory that git ignores'],
    ['git archive HEAD | wreckit sprite push demo -', 'A tar stream'],
  ],
  async run(context) {
    const [name, src, given] = context.args;
    return await withSprites(context, async (tools) => {
      const dst = given ?? (await workdirOf(context, tools, name));
      if (src === '-') return await pushTar(context, tools, dst);
      const path = resolve(context.cwd, src);
      const isDirectory = statOf(path, src).isDirectory();
      return isDirectory
        ? await pushTree(context, tools, path, dst)
        : await pushFile(context, tools, path, given ?? `${dst}/`);
    });
  },
};

/** A sprite of another wisp says itself where its project lies. */
async function workdirOf(
  { globals, signal }: Context,
  { runner }: SpriteTools,
  name: string,
): Promise<string> {
  if (runner.isBundled || globals.dryRun === true) return DEFAULT_PROJECT_DIR;
  const { workdir } = await runner.info(name, { signal });
  return workdir === '' ? DEFAULT_PROJECT_DIR : workdir;
}

async function pushTar(context: Context, { runner }: SpriteTools, dst: string): Promise<VerbResult> {
  const { args, globals, io, signal } = context;
  const command = pushCommand(args[0], dst);
  if (globals.dryRun === true) return plannedCommands(runner, [command]);
  const data = await runner.ask(command, { signal, stdin: childStdin(io), timeoutMs: 0 });
  return { data, text: `pushed to ${args[0]}:${dst}` };
}

async function pushFile(
  context: Context,
  { runner }: SpriteTools,
  path: string,
  dst: string,
): Promise<VerbResult> {
  const { args, globals, signal } = context;
  const command = pushFileCommand(args[0], path, dst);
  if (globals.dryRun === true) return plannedCommands(runner, [command]);
  const data = await runner.ask(command, { signal, timeoutMs: 0 });
  return { data, text: `pushed ${args[1]} to ${args[0]}:${dst}` };
}

async function pushTree(
  context: Context,
  tools: SpriteTools,
  root: string,
  dst: string,
): Promise<VerbResult> {
  const { args, globals, options } = context;
  const push = { name: args[0], root, dst, isAll: options.all, force: options.force };
  if (globals.dryRun === true) {
    const plan = await planOf(context, tools, push);
    const data = {
      files: plan.entries.length,
      total_bytes: plan.totalBytes,
      kept_back: keptBackData(plan.keptBack),
    };
    const stays = keptBackLines(plan.keptBack).map((line) => `would stay here: ${line}`);
    const lines = [`would send: ${plan.entries.length} files, ${formatBytes(plan.totalBytes)}`, ...stays];
    return plannedCommands(tools.runner, [pushCommand(args[0], dst)], { data, lines });
  }
  const result = await pushDirectory(context, tools, push);
  return { data: pushData(result), text: pushText(result) };
}

function statOf(path: string, shown: string): { isDirectory(): boolean } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() || stat?.isDirectory()) return stat;
  const what = stat === undefined ? 'there is nothing of this name' : 'it is neither a file nor a directory';
  throw new WreckitError('PATH_INVALID', `push ${quote(shown)}: ${what}`, {
    hint: 'give a file or directory of this machine, or - for a tar stream on stdin',
  });
}
