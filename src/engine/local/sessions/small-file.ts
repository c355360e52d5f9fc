import { readFileSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';

/** A small file's text; empty when it is not there, or can't be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    if (errnoOf(error) !== undefined) return '';
    throw error;
  }
}
