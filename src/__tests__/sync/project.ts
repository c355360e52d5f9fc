/** Projects, "sprites" and what is in them, for the tests of src/sync. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { hostPath, toBytePath } from '../../sync/byte-path.ts';
import type { SpritePort } from '../../sync/sprite-port.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { type LocalDirPortOptions, localDirPort } from './local-dir-port.ts';

export interface Place extends Disposable {
  /** The project. */
  readonly root: string;
  /** The directory that stands for the sprite's. */
  readonly inside: string;
  readonly port: SpritePort;
  portWith(options: LocalDirPortOptions): SpritePort;
}

/** A project directory and a sprite's; not in git unless `initGit` is called. */
export function place(): Place {
  const dir = tempDir('wreckit-sync-');
  const root = dir.join('project');
  const inside = dir.join('sprite', 'project');
  fs.mkdirSync(root);
  return {
    root,
    inside,
    port: localDirPort(inside),
    portWith: (options) => localDirPort(inside, options),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

/** Runs git as a person would, with no settings of this machine. */
export function git(cwd: string, ...args: string[]): string {
  const done = spawnSync('git', ['-c', 'protocol.file.allow=always', ...args], {
    cwd,
    encoding: 'latin1',
    env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' },
  });
  if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}${done.stdout}`);
  return done.stdout.replace(/\n$/, '');
}

export function initGit(root: string): void {
  git(root, 'init', '--quiet', '--initial-branch=main');
  git(root, 'config', 'user.name', 'Test');
  git(root, 'config', 'user.email', 'test@example.invalid');
}

export function commitAll(root: string, message = 'commit'): string {
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', '--allow-empty', '-m', message);
  return git(root, 'rev-parse', 'HEAD');
}

/** Writes text files by path; directories are made. */
export function write(root: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}

export function read(root: string, name: string): string {
  return fs.readFileSync(path.join(root, name), 'utf8');
}

/**
 * Everything below `root` but git's and sync's own: path (one character per byte) to what is there, such as
 * `-rw 5 a1b2c3d4`, `-rwx`, `l target`.
 */
export function treeOf(root: string): Map<string, string> {
  const tree = new Map<string, string>();
  const visit = (dir: string): void => {
    const at = dir === '' ? root : hostPath(root, dir);
    for (const raw of fs.readdirSync(at, { encoding: 'buffer' })) {
      const name = dir === '' ? toBytePath(raw) : `${dir}/${toBytePath(raw)}`;
      if (name === '.git' || name.endsWith('/.git') || name === '.wreckit/sync') continue;
      const stat = fs.lstatSync(hostPath(root, name));
      if (stat.isDirectory()) visit(name);
      else tree.set(name, describe(root, name, stat));
    }
  };
  if (fs.existsSync(root)) visit('');
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function describe(root: string, name: string, stat: fs.Stats): string {
  if (stat.isSymbolicLink()) {
    return `l ${toBytePath(fs.readlinkSync(hostPath(root, name), { encoding: 'buffer' }))}`;
  }
  if (!stat.isFile()) return 'special';
  const hash = createHash('sha256')
    .update(fs.readFileSync(hostPath(root, name)))
    .digest('hex');
  return `-rw${(stat.mode & 0o100) !== 0 ? 'x' : ''} ${stat.size} ${hash.slice(0, 16)}`;
}

/** The files of a commit's tree, as `treeOf` shows them. */
export function treeOfCommit(root: string, commit: string): Map<string, string> {
  const tree = new Map<string, string>();
  for (const record of git(root, 'ls-tree', '-r', '-z', commit).split('\0')) {
    const tab = record.indexOf('\t');
    if (tab === -1) continue;
    const [mode = '', , oid = ''] = record.slice(0, tab).split(' ');
    const content = spawnSync('git', ['cat-file', 'blob', oid], { cwd: root }).stdout;
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const shown =
      mode === '120000'
        ? `l ${content.toString('latin1')}`
        : `-rw${mode === '100755' ? 'x' : ''} ${content.length} ${hash}`;
    tree.set(record.slice(tab + 1), mode === '160000' ? `commit ${oid}` : shown);
  }
  return tree;
}
