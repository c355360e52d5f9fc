/** What keeps a sprite awake though nothing happens in it: a label, and tasks with an end (`tasks.json`). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import { readJsonFile, writeJsonFile } from '../../json-file.ts';
import type { KeepAwakeTask, TaskSpec } from '../../sleep.ts';
import type { SpriteRecord } from '../record.ts';

/** `keep-awake`, `keep-awake=` anything but these. */
const KEEP_AWAKE_LABEL = 'keep-awake';
const NO = new Set(['false', 'no', 'off', '0']);
const TASK_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const MAX_TASKS = 100;
const MAX_TASK_MS = 24 * 3_600_000;

export function isKeptAwake({ labels }: Pick<SpriteRecord, 'labels'>, spriteDir: string): boolean {
  const label = labels[KEEP_AWAKE_LABEL];
  if (label !== undefined && !NO.has(label.toLowerCase())) return true;
  return readTasks(spriteDir).length > 0;
}

/** Those that have not expired, by name. A file that can't be read holds none. */
export function readTasks(spriteDir: string): KeepAwakeTask[] {
  const path = tasksFile(spriteDir);
  if (!existsSync(path)) return [];
  const value = readJsonFile(path);
  const now = Date.now();
  return (Array.isArray(value) ? value : [])
    .filter(isTask)
    .filter(({ expires_at: end }) => Date.parse(end) > now)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The caller holds the sprite's lock. Throws `USAGE`, `CONFLICT`. */
export function putTask(spriteDir: string, name: string, spec: TaskSpec): KeepAwakeTask {
  if (!TASK_NAME.test(name)) {
    throw new WreckitError(
      'USAGE',
      `task: ${quote(name)} is not a name such as "build" (letters, digits, ".", "_", "-")`,
    );
  }
  const { expiresInMs } = spec;
  if (!(expiresInMs > 0 && expiresInMs <= MAX_TASK_MS)) {
    throw new WreckitError('USAGE', `task ${quote(name)}: its time must be above 0 and at most 24h`);
  }
  const others = readTasks(spriteDir);
  const before = others.find((task) => task.name === name);
  if (before !== undefined && spec.isNew === true) {
    throw new WreckitError(
      'CONFLICT',
      `task ${quote(name)}: there is one of this name until ${before.expires_at}`,
    );
  }
  if (before === undefined && others.length >= MAX_TASKS) {
    throw new WreckitError('CONFLICT', `task ${quote(name)}: the sprite has ${MAX_TASKS} already`);
  }
  const now = Date.now();
  const task = {
    name,
    created_at: before?.created_at ?? new Date(now).toISOString(),
    expires_at: new Date(now + expiresInMs).toISOString(),
  };
  writeJsonFile(tasksFile(spriteDir), [...others.filter((other) => other.name !== name), task]);
  return task;
}

/** The caller holds the sprite's lock. */
export function dropTask(spriteDir: string, name: string): boolean {
  const all = readTasks(spriteDir);
  const rest = all.filter((task) => task.name !== name);
  if (rest.length === all.length) return false;
  writeJsonFile(tasksFile(spriteDir), rest);
  return true;
}

function tasksFile(spriteDir: string): string {
  return join(spriteDir, 'tasks.json');
}

function isTask(value: unknown): value is KeepAwakeTask {
  const task = value as Partial<KeepAwakeTask> | null;
  return (
    typeof task?.name === 'string' &&
    typeof task.created_at === 'string' &&
    typeof task.expires_at === 'string'
  );
}
