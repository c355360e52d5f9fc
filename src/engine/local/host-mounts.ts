/** What the kernel says is mounted where (proc(5), /proc/PID/mountinfo). */
import { readFileSync } from 'node:fs';

export interface Mount {
  readonly point: string;
  /** Directory of the mounted file system that is its root here; "/" unless it is a bind mount. */
  readonly root: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

export function readMounts(path = '/proc/self/mountinfo'): Mount[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseMount);
}

function parseMount(line: string): Mount {
  const separator = line.indexOf(' - ');
  const before = line.slice(0, separator).split(' ');
  const after = line.slice(separator + 3).split(' ');
  return {
    root: unescapeOctal(before[3] ?? '/'),
    point: unescapeOctal(before[4] ?? '/'),
    options: (before[5] ?? '').split(','),
    type: after[0] ?? '',
    superOptions: (after[2] ?? '').split(','),
  };
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
