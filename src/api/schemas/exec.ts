import { z } from 'zod';

/** Beyond the API, with `ended`. */
const ended = {
  argv: z.array(z.string()).optional(),
  state: z.enum(['running', 'exited', 'lost']).optional(),
  exit_code: z.int().nullish(),
  signal: z.string().nullish(),
  exited_at: z.iso.datetime().nullish(),
  stdout_start: z.int().optional(),
  stderr_start: z.int().optional(),
  cols: z.int().nullish(),
  rows: z.int().nullish(),
};

export const SessionList = z.object({
  count: z.int(),
  sessions: z.array(
    z.object({
      id: z.string(),
      command: z.string(),
      workdir: z.string(),
      created: z.iso.datetime(),
      tty: z.boolean(),
      bytes_per_second: z.number(),
      is_active: z.boolean(),
      last_activity: z.iso.datetime(),
      user: z.string(),
      stdout_bytes: z.int(),
      stderr_bytes: z.int(),
      ...ended,
    }),
  ),
});

export const KillStep = z.discriminatedUnion('type', [
  z.object({ type: z.literal('signal'), message: z.string(), signal: z.string(), pid: z.int() }),
  z.object({ type: z.enum(['timeout', 'exited', 'killed', 'error']), message: z.string() }),
  z.object({ type: z.literal('complete'), exit_code: z.int().nullable() }),
]);

/** The text frames of `exec`. */
export const ExecFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('session_info'),
    session_id: z.string(),
    command: z.string(),
    created: z.int().describe('Unix seconds'),
    cols: z.int(),
    rows: z.int(),
    is_owner: z.boolean(),
    tty: z.boolean(),
    stdout_offset: z.int(),
    stderr_offset: z.int(),
  }),
  z.object({
    type: z.literal('exit'),
    exit_code: z.int(),
    signal: z.string().nullable().describe('Beyond the API: what ended it'),
    timed_out: z.boolean().describe('Beyond the API: its `timeout` did'),
  }),
  z.object({
    type: z.enum(['port_opened', 'port_closed']),
    port: z.int(),
    address: z.string(),
    pid: z.int(),
  }),
  z.object({ type: z.literal('output_dropped'), stream: z.enum(['stdout', 'stderr']), bytes: z.int() }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
