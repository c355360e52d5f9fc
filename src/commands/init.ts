import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot } from '../config/project-root.ts';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { userHome } from '../process/user-home.ts';
import type { WreckitVerb } from './globals.ts';
import { detectBaseBranch } from './init/base-branch.ts';
import { planIgnoreLines, writeIgnoreLines } from './init/ignore-lines.ts';
import { STARTER_KINDS, type StarterKind, starterConfig } from './init/starter-config.ts';
import { writeFileAtomic } from './init/write-file.ts';

interface Options {
  readonly force?: boolean;
  readonly agent: StarterKind;
}

type Action = 'created' | 'replaced' | 'extended' | 'unchanged';

export const verb: WreckitVerb<Options> = {
  define: (command) =>
    command
      .option('--force', 'Overwrite an existing configuration')
      .addOption(
        command
          .createOption('--agent <kind>', 'Agent that works in the sandbox')
          .choices(STARTER_KINDS)
          .default('rlm'),
      ),
  examples: [
    ['wreckit init', 'Write .wreckit/config.json and the git ignore rules'],
    ['wreckit init --agent claude_sdk', 'Have Claude Code work in the sandbox'],
    ['wreckit init --dry-run', 'Show what would be written'],
  ],
  async run({ cwd, io, globals, options, signal }) {
    const root = projectRoot(cwd, userHome(io.env));
    const config = join(root, '.wreckit', 'config.json');
    const existing = kindOfFile(config);
    if (existing === 'other' || (existing === 'file' && options.force !== true))
      throw alreadyThere(config, existing);
    const ignore = planIgnoreLines(root);
    const content = starterConfig(options.agent, await detectBaseBranch(root, signal));
    signal.throwIfAborted();
    if (globals.dryRun !== true) {
      writeConfig(config, content, existing === 'file');
      writeIgnoreLines(ignore);
    }
    const ignoreAction: Action =
      ignore.missing.length === 0 ? 'unchanged' : ignore.isNew ? 'created' : 'extended';
    const files: { path: string; action: Action }[] = [
      { path: config, action: existing === 'file' ? 'replaced' : 'created' },
      { path: ignore.path, action: ignoreAction },
    ];
    const isDryRun = globals.dryRun === true;
    const lines = files.map(
      ({ path, action }) => `${isDryRun ? 'would be ' : ''}${action}: ${relative(cwd, path)}`,
    );
    const next = isDryRun ? '' : '\nNext: wreckit doctor checks that everything an agent needs is there';
    return { data: { project_root: root, dry_run: isDryRun, files }, text: `${lines.join('\n')}${next}` };
  },
};

function kindOfFile(path: string): 'none' | 'file' | 'other' {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'none';
  return stats.isFile() ? 'file' : 'other';
}

function alreadyThere(path: string, kind: 'file' | 'other'): WreckitError {
  if (kind === 'other')
    return new WreckitError('CONFLICT', `init: ${quote(path)} is there and not an ordinary file`, {
      hint: 'move it away first',
    });
  return new WreckitError('CONFLICT', `init: ${quote(path)} is already there`, {
    hint: 'keep it, or replace it with: wreckit init --force',
    details: { path },
  });
}

function writeConfig(path: string, content: string, isThere: boolean): void {
  mkdirSync(join(path, '..'), { recursive: true });
  try {
    if (isThere) writeFileAtomic(path, content);
    else writeFileSync(path, content, { flag: 'wx' });
  } catch (error) {
    // Somebody else was faster.
    if (errnoOf(error) === 'EEXIST') throw alreadyThere(path, 'file');
    throw error;
  }
}
