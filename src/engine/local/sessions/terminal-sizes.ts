/** The sizes a terminal session has had: each with the offset of its log from which it was in force. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { WreckitError } from '../../../errors.ts';
import type { TerminalSize } from '../../engine.ts';
import { readText } from './small-file.ts';

/** What the kernel keeps of a size is 16 bits. */
const MAX_CELLS = 65_535;

export interface SizeFrom extends TerminalSize {
  readonly offset: number;
}

/** Throws `USAGE`; a terminal of 0 × 0 breaks most programs. */
export function assertSize({ cols, rows }: TerminalSize): void {
  for (const cells of [cols, rows]) {
    if (Number.isSafeInteger(cells) && cells >= 1 && cells <= MAX_CELLS) continue;
    throw new WreckitError(
      'USAGE',
      `terminal size: ${cols}x${rows} is not a number of columns and rows from 1 to ${MAX_CELLS}`,
    );
  }
}

export function readSizes(path: string): SizeFrom[] {
  return readText(join(path, 'resizes'))
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .flatMap(([offset, cols, rows]) =>
      offset !== undefined && cols !== undefined && rows !== undefined ? [{ offset, cols, rows }] : [],
    );
}

export function recordSize(path: string, { offset, cols, rows }: SizeFrom): void {
  appendFileSync(join(path, 'resizes'), `${offset} ${cols} ${rows}\n`);
}
