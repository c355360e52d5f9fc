import { resolve } from 'node:path';
import { assertSpriteName } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

/**
 * The mirror of push. To a path of this machine every member is verified (nothing absolute, no `..`, no link
 * that leaves, no device) and put into place only when all of them are; to `-` the archive comes as the
 * sprite made it, for a reader that trusts nothing in it.
 */
export const verb: WispVerb<Record<never, never>, [name: string, source: string, target: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<src>', 'Path in the sprite, relative to its home')
      .argument('<dst>', 'Local file or directory; - for a tar stream on stdout'),
  examples: [
    ['wisp pull demo project/dist ./dist', 'The contents of dist, into a local directory'],
    ['wisp pull demo project/report.html .', 'One file'],
    ['wisp pull demo project - | tar -t', 'A tar stream'],
  ],
  async run(context) {
    const { args, io, json, signal, cwd } = context;
    const [name, source, target] = args;
    if (target === '-' && json) {
      throw new WreckitError('USAGE', "pull: the archive and the JSON document can't both go to stdout", {
        hint: 'pull to a directory, or leave out --json',
      });
    }
    const tar = (await createEngine(context)).files.pack(name, source, { signal });
    if (target === '-') {
      for await (const chunk of tar) {
        if (!(await io.stdout.write(chunk))) break;
      }
      return {};
    }
    const { extractSafely } = await import('../../archive/safe-extract.ts');
    const into = target.endsWith('/') ? `${resolve(cwd, target)}/` : resolve(cwd, target);
    const { path, memberCount, totalBytes } = await extractSafely(tar, into, { signal });
    return {
      data: { path, member_count: memberCount, size_bytes: totalBytes },
      text: `pulled ${source} to ${path}`,
    };
  },
};
