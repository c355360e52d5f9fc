import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';

const DEADLINE_MS = 15_000;
const MAX_BYTES = 64 * 1024;

export type ToolAnswer =
  | { readonly state: 'works'; readonly version: string }
  | { readonly state: 'missing' }
  | { readonly state: 'broken'; readonly reason: string };

/** Whether a program really starts, by `--version`: an installed package whose binary is missing does not. */
export async function askVersion(
  command: string,
  options: { env: Readonly<Record<string, string | undefined>>; cwd: string; signal: AbortSignal },
): Promise<ToolAnswer> {
  const result = await run([command, '--version'], {
    cwd: options.cwd,
    env: definedOnly(options.env),
    timeoutMs: DEADLINE_MS,
    graceMs: 1000,
    maxBytes: MAX_BYTES,
    signal: options.signal,
  });
  if (result.spawnError?.errno === 'ENOENT') return { state: 'missing' };
  if (result.spawnError !== null) return { state: 'broken', reason: result.spawnError.errno };
  const text = decodeUtf8(result.stdout).trim() || decodeUtf8(result.stderr).trim();
  const firstLine = text.split('\n')[0]?.trim().slice(0, 100) ?? '';
  if (!result.failed) return { state: 'works', version: firstLine };
  if (result.timedOut) return { state: 'broken', reason: `no answer within ${DEADLINE_MS / 1000} s` };
  const how =
    result.exitCode === null ? `ended by ${result.signal ?? 'a signal'}` : `exit ${result.exitCode}`;
  return { state: 'broken', reason: firstLine === '' ? how : `${how}: ${firstLine}` };
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
