/** What is written into a session's directory about its end by others than its supervisor; see session-dir.ts. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './session-dir.ts';
import type { ExitRecord } from './session-facts.ts';

/** Who ends it and, once it is sent, the signal that nothing survives. */
export type Ending = `kill ${string}` | 'timeout KILL';

const ENDING_BYTES = 31;
const EXIT_BYTES = 255;

/** Said before it is done, so that the supervisor knows what it was. */
export function noteEnding(path: string, ending: Ending): void {
  writeInPlace(join(path, 'ending'), ending, ENDING_BYTES);
}

export function readEnding(path: string): string {
  return readText(join(path, 'ending'));
}

export function recordExit(path: string, record: ExitRecord): void {
  writeInPlace(join(path, 'exit.json'), JSON.stringify(record), EXIT_BYTES);
}

/** Over the blanks that are there: takes no room on the disk. */
function writeInPlace(path: string, text: string, width: number): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, `${text.padEnd(width)}\n`, 0);
  } finally {
    closeSync(fd);
  }
}
