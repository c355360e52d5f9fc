/** The file of `--faults`, or what is wrong with it. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { FaultFile, type FaultRule } from './fault-rule.ts';

const MAX_BYTES = 1024 * 1024;
/** Problems in one message. */
const MAX_TOLD = 4;
const HINT = 'what a file of faults looks like: docs/serve.md, "A server that lies"';

/** Throws `USAGE`; `shown` is how the user called the file. */
export function readFaults(path: string, shown: string): readonly FaultRule[] {
  const result = FaultFile.safeParse(jsonOf(path, shown));
  if (result.success) return result.data.faults;
  const problems = result.error.issues.flatMap(told);
  const more = problems.length > MAX_TOLD ? `; and ${problems.length - MAX_TOLD} more` : '';
  throw refused(shown, `${problems.slice(0, MAX_TOLD).join('; ')}${more}`);
}

function jsonOf(path: string, shown: string): unknown {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw refused(shown, `it can't be read: ${errnoOf(cause) ?? String(cause)}`, cause);
  }
  if (bytes.length > MAX_BYTES) throw refused(shown, `it has more than ${MAX_BYTES} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw refused(shown, `it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function told(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const where = at === '' ? '' : `${at.slice(1)}: `;
  if (issue.code !== 'unrecognized_keys') return [`${where}${issue.message}`];
  return issue.keys.map((key) => `${where}${quote(key)} means nothing here`);
}

function refused(shown: string, problem: string, cause?: unknown): WreckitError {
  return new WreckitError('USAGE', `--faults ${quote(shown)}: ${problem}`, { hint: HINT, cause });
}
