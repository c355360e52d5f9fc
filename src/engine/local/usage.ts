/** What a sprite uses now. */
import type { Usage } from '../../contract/schemas.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { Waiting } from '../engine.ts';
import { cgroupUsage } from './cgroup.ts';
import { findTool, TOOL_ENV } from './tools.ts';

/** A sprite with millions of files is not worth waiting for: its size is then not known. */
const MEASURE_TIMEOUT_MS = 5_000;
const NOTHING = { memory_bytes: null, cpu_ms: null, pids: null };

/** `pid`: the sprite's PID 1, or null when it is down; `group`: the name of its control group. */
export async function measureUsage(
  { dir, pid, group }: { dir: string; pid: number | null; group: string },
  waiting: Waiting,
): Promise<Usage> {
  return { ...(pid === null ? NOTHING : cgroupUsage(pid, group)), disk_bytes: await diskBytes(dir, waiting) };
}

/** Null when it took too long to tell. */
export async function diskBytes(dir: string, { signal }: Waiting): Promise<number | null> {
  const du = findTool('du');
  if (du === null) return null;
  const options = { env: TOOL_ENV, timeoutMs: MEASURE_TIMEOUT_MS, signal, maxBytes: 4096 };
  const result = await run([du, '--summarize', '--one-file-system', '--block-size=1', dir], options);
  const bytes = Number.parseInt(decodeUtf8(result.stdout), 10);
  return result.timedOut || result.aborted || Number.isNaN(bytes) ? null : bytes;
}
