import { z } from 'zod';
import { wholeNumber } from './query.ts';

const MAX_PORT = 65_535;

export const ServiceBody = z.object({
  cmd: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.record(z.string(), z.string()).nullish(),
  dir: z.string().nullish(),
  user: z.enum(['sprite', 'root']).nullish().describe('`sprite` when absent'),
  needs: z.array(z.string()).nullish(),
  http_port: z.int().min(1).max(MAX_PORT).nullish(),
});

export const ServiceState = z.object({
  name: z.string(),
  status: z.enum(['stopped', 'starting', 'running', 'stopping', 'failed']),
  pid: z.int().optional(),
  started_at: z.iso.datetime().optional(),
  error: z.string().optional(),
  restart_count: z.int(),
  next_restart_at: z.iso.datetime().optional(),
});

export const ApiService = z.object({
  name: z.string(),
  cmd: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()).optional(),
  dir: z.string().optional(),
  user: z.string().optional(),
  needs: z.array(z.string()),
  http_port: z.int().nullable(),
  state: ServiceState,
});

export const ApiServiceEvent = z.object({
  type: z.enum(['started', 'stdout', 'stderr', 'exit', 'error', 'stopping', 'stopped', 'complete']),
  data: z.string().optional(),
  exit_code: z.int().optional(),
  timestamp: z.int().describe('Unix milliseconds'),
  log_files: z.object({ stdout: z.string(), stderr: z.string(), combined: z.string() }).optional(),
});

export const SignalBody = z.object({ name: z.string().min(1), signal: z.string().min(1).max(32) });
export const DurationQuery = z.object({
  duration: z.string().optional().describe('How long its output is shown, such as `5s` (the default)'),
});
export const StopQuery = z.object({
  timeout: z.string().optional().describe('Then SIGKILL; `10s` when absent'),
});
export const LogsQuery = z.object({
  lines: wholeNumber(0, 1_000_000).optional().describe('Of the past; 100 when absent'),
  duration: z.string().optional().describe('How long to go on with what comes; not at all when absent'),
});
