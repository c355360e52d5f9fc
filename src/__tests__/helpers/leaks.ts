/**
 * What a test left behind: processes, mounts, control groups, files. Everything of a test file lives below
 * one directory (its scope: TMPDIR and HOME, see setup.ts), and its children carry that path in their
 * environment, their arguments, their working directory or the mounts they see: that is how one's own
 * leftovers are told from what else happens on the machine.
 *
 *   bun src/__tests__/helpers/leaks.ts SCOPE [--remove]    lists the leftovers of a scope; exit 1 if there are any
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { eventually } from './eventually.ts';

export const SCOPE_VARIABLE = 'WRECKIT_TEST_SCOPE';

export interface LeakedProcess {
  readonly pid: number;
  readonly command: string;
}

export interface Leaks {
  readonly processes: readonly LeakedProcess[];
  /** Mount points on the host. */
  readonly mounts: readonly string[];
  /** Directories below /sys/fs/cgroup. */
  readonly groups: readonly string[];
  readonly files: readonly string[];
}

/** The scope's own directories, and caches of tools. */
const TOOL_CACHES = /^(home|run|tsx-\d+|node-compile-cache|bunx-.*|\.bun.*)$/;

/** Control groups that exist now; taken before the tests, given to `findLeaks` after them. */
export function spriteGroups(): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (dir: string, depth: number): void => {
    for (const name of namesIn(dir)) {
      const path = join(dir, name);
      if (/^(wisp|sprite)/.test(name) && isDirectory(path)) found.add(path);
      else if (depth > 0 && isDirectory(path)) visit(path, depth - 1);
    }
  };
  visit('/sys/fs/cgroup', 4);
  return found;
}

/** What is left now. Something on its way out (a process that is ending) is not left behind: see `settledLeaks`. */
export function findLeaks(scope: string, groupsBefore: ReadonlySet<string> = new Set()): Leaks {
  return {
    processes: leakedProcesses(scope),
    mounts: mountPointsWith(scope, '/proc/self/mountinfo'),
    groups: [...spriteGroups()].filter((group) => !groupsBefore.has(group) && isEmptyGroup(group)),
    files: leftFiles(scope),
  };
}

/**
 * What is there at every look within `timeoutMs`; empty as soon as nothing is. Other work on the machine makes
 * and removes control groups all the time: an empty one seen once is no leftover.
 */
export async function settledLeaks(
  scope: string,
  groupsBefore: ReadonlySet<string>,
  timeoutMs = 3000,
): Promise<Leaks> {
  let leaks = findLeaks(scope, groupsBefore);
  const isClean = (): boolean => {
    leaks = inBoth(leaks, findLeaks(scope, groupsBefore));
    return describe(leaks).length === 0;
  };
  await eventually(isClean, { timeoutMs }).catch(() => false);
  return leaks;
}

function inBoth(before: Leaks, now: Leaks): Leaks {
  const pids = new Set(now.processes.map(({ pid }) => pid));
  return {
    processes: before.processes.filter(({ pid }) => pids.has(pid)),
    mounts: before.mounts.filter((path) => now.mounts.includes(path)),
    groups: before.groups.filter((path) => now.groups.includes(path)),
    files: before.files.filter((path) => now.files.includes(path)),
  };
}

export function describe(leaks: Leaks): string[] {
  return [
    ...leaks.processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...leaks.mounts.map((path) => `mount ${path}`),
    ...leaks.groups.map((path) => `control group ${path}`),
    ...leaks.files.map((path) => `file ${path}`),
  ];
}

function leakedProcesses(scope: string): LeakedProcess[] {
  const ownNamespace = linkOf('/proc/self/ns/mnt');
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => belongsTo(scope, `/proc/${name}`, ownNamespace))
    .map((name) => ({
      pid: Number(name),
      command: textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim(),
    }));
}

function belongsTo(scope: string, proc: string, ownNamespace: string): boolean {
  const stat = textOf(`${proc}/stat`);
  if (stat === '' || /\) [ZX] /.test(stat)) return false;
  // A prefix is enough: the scope of a whole run holds those of its files.
  const mark = `${SCOPE_VARIABLE}=${scope}`;
  if (
    textOf(`${proc}/environ`)
      .split('\0')
      .some((entry) => entry.startsWith(mark))
  )
    return true;
  if (textOf(`${proc}/cmdline`).includes(scope) || isWithin(linkOf(`${proc}/cwd`), scope)) return true;
  const namespace = linkOf(`${proc}/ns/mnt`);
  const isElsewhere = namespace !== '' && namespace !== ownNamespace;
  return isElsewhere && textOf(`${proc}/mountinfo`).includes(`${scope}/`);
}

function mountPointsWith(scope: string, mountinfo: string): string[] {
  const lines = textOf(mountinfo).split('\n');
  return lines.filter((line) => line.includes(`${scope}/`)).map((line) => line.split(' ')[4] ?? line);
}

/** A group with processes in it is found by its processes, which say whose it is. */
function isEmptyGroup(group: string): boolean {
  return existsSync(group) && textOf(join(group, 'cgroup.procs')).trim() === '';
}

/** Of what the engine keeps only sprites and containers count; its directories for them stay. */
function leftFiles(scope: string): string[] {
  const below = (dir: string): string[] => namesIn(join(scope, dir)).map((name) => join(dir, name));
  const top = namesIn(scope).filter((name) => !TOOL_CACHES.test(name));
  const runtimeDirs = below(join('run', 'wisp')).flatMap(below);
  const containers = runtimeDirs.flatMap((dir) => (/\/(oci|probe)$/.test(dir) ? below(dir) : [dir]));
  return [...top, ...below(join('home', '.local', 'state', 'wisp', 'sprites')), ...containers];
}

function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(`${dir}/`);
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

// What can't be read (gone meanwhile, another user's) can't be told to be ours.
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Ends the processes, takes the mounts away and removes the groups; the files are the caller's. */
export function removeLeaks({ processes, mounts, groups }: Leaks): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }
  for (const point of mounts) spawnSync('umount', ['-l', point]);
  for (const group of groups) spawnSync('rmdir', [group]);
}

if (import.meta.main) {
  // Groups say nothing of whose they are; the files' own checks have compared them.
  const leaks: Leaks = { ...findLeaks(process.argv[2] ?? '/nonexistent'), groups: [] };
  const found = describe(leaks);
  if (found.length > 0) process.stdout.write(`${found.join('\n')}\n`);
  if (process.argv.includes('--remove')) removeLeaks(leaks);
  process.exitCode = found.length > 0 ? 1 : 0;
}
