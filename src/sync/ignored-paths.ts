/**
 * Which new files of a sprite git would not track. Asked of git here, in an empty repository of its own with
 * nothing but rule files in it: those of the project, and where the sprite has changed or added some, those.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type BytePath, bytesOfPath, hostPath, nameOf, parentOf, parentsOf } from './byte-path.ts';
import type { ProjectRepository } from './file-selection.ts';
import { git, gitFailure, isGitMissing, splitNul } from './git.ts';
import { topOf } from './git-repository.ts';
import { readGitUser } from './git-user.ts';
import { lstatOf } from './host-state.ts';

export interface IgnoreQuestion {
  /** Empty, and the caller's to remove. */
  readonly workDir: string;
  readonly root: string;
  readonly repositories: readonly ProjectRepository[];
  /** Every .gitignore the sprite has, with its content where it differs from the one here. */
  readonly rules: ReadonlyMap<BytePath, Buffer | null>;
  readonly paths: readonly BytePath[];
  readonly signal?: AbortSignal | undefined;
}

const MAX_RULE_BYTES = 1024 * 1024;

export function isRuleFile(name: BytePath): boolean {
  return nameOf(name) === '.gitignore';
}

/** None where git is not installed. Throws `SPRITE_SYNC_FAILED` when git fails. */
export async function findIgnored(question: IgnoreQuestion): Promise<ReadonlySet<BytePath>> {
  const ignored = new Set<BytePath>();
  const places = question.repositories.filter(({ at }) => at !== '').map(({ at }) => at);
  for (const at of ['', ...places]) {
    const isHere = (name: BytePath): boolean => repositoryOf(name, places) === at;
    const paths = question.paths.filter(isHere);
    if (paths.length === 0) continue;
    const rules = [...question.rules].filter(([name]) => isHere(name));
    const repository = question.repositories.find((place) => place.at === at)?.repository;
    for (const name of await ask(question, { at, paths, rules, repository })) ignored.add(name);
  }
  return ignored;
}

/** The innermost repository a path belongs to. */
export function repositoryOf(name: BytePath, places: readonly BytePath[]): BytePath {
  return places.filter((at) => name.startsWith(at)).sort((a, b) => b.length - a.length)[0] ?? '';
}

interface RepositoryQuestion {
  readonly at: BytePath;
  readonly paths: readonly BytePath[];
  readonly rules: readonly (readonly [BytePath, Buffer | null])[];
  readonly repository: ProjectRepository['repository'] | undefined;
}

async function ask(
  { workDir, root, signal }: IgnoreQuestion,
  { at, paths, rules, repository }: RepositoryQuestion,
): Promise<BytePath[]> {
  const dir = fs.mkdtempSync(path.join(workDir, 'ignore-'));
  const [gitDir, tree] = [path.join(dir, 'git'), path.join(dir, 'tree')];
  // What git takes for a repository, without a template's hooks in it.
  for (const part of ['objects', 'refs', 'info']) fs.mkdirSync(path.join(gitDir, part), { recursive: true });
  fs.writeFileSync(path.join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  fs.mkdirSync(tree);
  const prefix = at === '' ? (repository?.prefix ?? '') : '';
  for (const [name, content] of rules) {
    writeRules(tree, prefix + name.slice(at.length), content ?? readRules(root, name));
  }
  if (repository !== undefined) {
    copyIfThere(path.join(repository.commonDir, 'info', 'exclude'), path.join(gitDir, 'info', 'exclude'));
    // Of a project that is part of a larger repository: the rules above it.
    for (const above of prefix === '' ? [] : ['', ...parentsOf(prefix.slice(0, -1))]) {
      const name = above === '' ? '.gitignore' : `${above}/.gitignore`;
      writeRules(tree, name, readRules(topOf(repository), name));
    }
  }
  // Set for this repository alone, it would be missing in the lent one.
  const { excludesFile } = await readGitUser(root, signal);
  const config = excludesFile === null ? undefined : { 'core.excludesFile': excludesFile };
  // `./`, or a name that begins with a colon would be taken for pathspec magic.
  const stdin = bytesOfPath(paths.map((name) => `./${prefix}${name.slice(at.length)}\0`).join(''));
  const args = ['check-ignore', '--no-index', '-z', '--stdin'];
  const done = await git(args, {
    cwd: tree,
    gitDir,
    workTree: tree,
    withUserConfig: true,
    config,
    stdin,
    signal,
  });
  if (isGitMissing(done)) return [];
  if (done.exitCode !== 0 && done.exitCode !== 1) throw gitFailure(args, done, signal);
  return splitNul(Buffer.from(done.stdout)).map((name) => at + name.slice(2 + prefix.length));
}

function readRules(root: string, name: BytePath): Buffer | null {
  const stat = lstatOf(root, name);
  return stat?.isFile() === true && stat.size <= MAX_RULE_BYTES
    ? fs.readFileSync(hostPath(root, name))
    : null;
}

/** `name` was checked: it has no `..` and nothing of git's own in it. */
function writeRules(tree: string, name: BytePath, content: Buffer | null): void {
  if (content === null) return;
  const dir = parentOf(name);
  if (dir !== '') fs.mkdirSync(hostPath(tree, dir), { recursive: true });
  fs.writeFileSync(hostPath(tree, name), content);
}

function copyIfThere(from: string, to: string): void {
  if (fs.existsSync(from)) fs.copyFileSync(from, to);
}
