/** An exec's options as flags of `wisp exec`, and as details of the call that runs it. */
import { parseDurationMs } from '../../contract/units.ts';
import type { StdinSource } from '../../process/run.ts';
import type { CallDetails } from './wisp-caller.ts';
import type { SpriteCaptureOptions, SpriteExecSpec } from './wisp-client.ts';
import type { ExecFlags } from './wisp-command.ts';

/** Between the deadline inside and the one of the call: wisp reports a timeout better than a killed wisp. */
const INNER_DEADLINE_LEAD_MS = 30_000;
/** JSON escapes a byte in six characters at worst; two streams. */
export const MAX_EXEC_ANSWER_BYTES = 64 * 1024 * 1024;

export function execFlags(
  spec: SpriteExecSpec,
  stdin: StdinSource | undefined,
  envFile: string | undefined,
): ExecFlags {
  const { dir, user, commandTimeout } = spec;
  const envFiles = envFile === undefined ? [] : [envFile];
  return { dir, user, commandTimeout, envFiles, stdin: stdin !== undefined && stdin !== 'ignore' };
}

export function execDetails(options: SpriteCaptureOptions): CallDetails {
  const { signal, stdin, maxBytes, commandTimeout } = options;
  const innerMs = commandTimeout === undefined ? undefined : parseDurationMs(commandTimeout);
  const timeoutMs =
    options.timeoutMs ?? (innerMs === undefined ? undefined : innerMs + INNER_DEADLINE_LEAD_MS);
  return { signal, stdin, maxBytes, timeoutMs };
}
