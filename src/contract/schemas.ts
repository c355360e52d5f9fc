/**
 * The shapes of the wisp contract, version 1 (docs/wisp-contract.md). Field names snake_case, times RFC 3339
 * UTC, durations `*_ms`, sizes `*_bytes`. Imported at run time only where an answer of somebody else's is
 * read; the engine imports the types alone, so that `zod` costs no start-up.
 */
import { z } from 'zod';

export { PROTOCOL_VERSION } from './protocol.ts';

export const IsolationSchema = z.enum(['namespace', 'userkernel', 'vm']);
export const NetworkSchema = z.enum(['open', 'filtered', 'none']);
export const SpriteStateSchema = z.enum([
  'creating',
  'running',
  'warm',
  'cold',
  'stopping',
  'error',
  'unknown',
]);

export const VersionDataSchema = z.looseObject({
  engine: z.string(),
  protocol: z.number().int(),
  version: z.string(),
  capabilities: z.array(z.string()),
  isolation: z.array(z.string()),
});

export const ResourcesSchema = z.looseObject({
  /** Limit in bytes; null: not limited. */
  memory_bytes: z.number().nullable(),
  cpus: z.number().nullable(),
  pids: z.number().nullable(),
});

/** What the sprite uses now; null where the machine can't tell. */
export const UsageSchema = z.looseObject({
  memory_bytes: z.number().nullable(),
  cpu_ms: z.number().nullable(),
  pids: z.number().nullable(),
  disk_bytes: z.number().nullable(),
});

export const SessionSchema = z.looseObject({
  id: z.string(),
  command: z.array(z.string()),
  dir: z.string(),
  user: z.string(),
  tty: z.boolean(),
  /** `lost`: it ended without leaving an exit status (killed from outside, machine restarted). */
  state: z.enum(['running', 'exited', 'lost']),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  created_at: z.string(),
  exited_at: z.string().nullable(),
  /** Next byte of each log; for a TTY session all output is in `stdout`. Offsets are absolute. */
  stdout_bytes: z.number().int(),
  stderr_bytes: z.number().int(),
  /** First byte still kept of each log. */
  stdout_start: z.number().int(),
  stderr_start: z.number().int(),
  /** null: it has printed nothing yet. */
  last_output_at: z.string().nullable().optional(),
  cols: z.number().int().nullable(),
  rows: z.number().int().nullable(),
  /** What a front end keeps with it. */
  annotations: z.record(z.string(), z.string()).optional(),
});

export const ServiceSchema = z.looseObject({
  name: z.string(),
  command: z.array(z.string()),
  /** null: its user's home. */
  dir: z.string().nullable(),
  /** Names alone: values may be secrets. */
  env_names: z.array(z.string()),
  user: z.string(),
  needs: z.array(z.string()),
  http_port: z.number().int().nullable(),
  status: z.enum(['stopped', 'starting', 'running', 'stopping', 'failed']),
  /** Inside the sprite. */
  pid: z.number().int().nullable(),
  started_at: z.string().nullable(),
  error: z.string().nullable(),
  /** Since it was last started by somebody. */
  restart_count: z.number().int(),
  /** `failed` with a time here is tried again then. */
  next_restart_at: z.string().nullable(),
  /** Inside the sprite. */
  log_files: z.looseObject({ stdout: z.string(), stderr: z.string() }).optional(),
});

export const SpriteSchema = z.looseObject({
  name: z.string(),
  id: z.string(),
  state: SpriteStateSchema,
  engine: z.string(),
  isolation: z.string().nullable(),
  created_at: z.string(),
  last_active_at: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  /** What a front end keeps with it. */
  annotations: z.record(z.string(), z.string()).optional(),
  resources: ResourcesSchema,
  network: NetworkSchema,
  image: z.string(),
  workdir: z.string(),
  /** Number of running sessions in `list`; the sessions themselves in `info`. */
  sessions: z.union([z.number().int(), z.array(SessionSchema)]),
  owner: z.string().nullable(),
  expires_at: z.string().nullable(),
  error: z.string().nullable(),
  usage: UsageSchema.optional(),
  /** Idle for this long it may be put to sleep; 0: never; null: as long as the engine says. */
  idle_timeout_ms: z.number().nullable().optional(),
  /** In `info`, where the engine has services. */
  services: z.array(ServiceSchema).optional(),
  /** What the user should know: limits not enforced, network shared with the host. */
  warnings: z.array(z.string()).optional(),
});

export const FileEntrySchema = z.looseObject({
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
  size_bytes: z.number(),
  /** Octal text, such as "0644". */
  mode: z.string(),
  modified_at: z.string(),
});

export const CheckSchema = z.looseObject({
  name: z.string(),
  status: z.enum(['ok', 'warn', 'fail']),
  message: z.string(),
  /** The exact command or step that mends it; null where nothing is to do. */
  fix: z.string().nullable(),
});

export const ListeningPortSchema = z.looseObject({
  port: z.number().int(),
  /** As bound: `127.0.0.1`, `0.0.0.0`, `::1`, `::`. */
  address: z.string(),
  /** Inside the sprite; 0 when the process can't be told. */
  pid: z.number().int(),
});

/** One way from this machine into a sprite. */
export const TunnelSchema = z.looseObject({
  url: z.string(),
  local_address: z.string(),
  local_port: z.number().int(),
  remote_port: z.number().int(),
});

export const AttemptSchema = z.looseObject({
  name: z.string(),
  /** What is tried, for people. */
  does: z.string(),
  user: z.enum(['root', 'sprite']),
  /** `succeeded`: it got out. `unclear`: it failed in another way than expected. `skipped`: it can't be tried here. */
  status: z.enum(['refused', 'succeeded', 'unclear', 'skipped']),
  /** What it said, or why it was skipped. */
  said: z.string(),
});

export const ListDataSchema = z.looseObject({ sprites: z.array(SpriteSchema) });
export const StartDataSchema = z.looseObject({ sprite: SpriteSchema, created: z.boolean() });
export const InfoDataSchema = z.looseObject({ sprite: SpriteSchema });
export const ExecDataSchema = z.looseObject({
  session_id: z.string(),
  /** null while a detached command runs. */
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** Decoded as UTF-8, invalid bytes replaced; `encoding: "base64"` in the data when asked for. */
  stdout: z.string(),
  stderr: z.string(),
  stdout_truncated_bytes: z.number().int(),
  stderr_truncated_bytes: z.number().int(),
  timed_out: z.boolean(),
  duration_ms: z.number(),
});
export const SessionsDataSchema = z.looseObject({ sessions: z.array(SessionSchema) });
export const ServicesDataSchema = z.looseObject({ services: z.array(ServiceSchema) });
export const ServiceDataSchema = z.looseObject({ service: ServiceSchema });
export const AttachDataSchema = z.looseObject({
  session: SessionSchema,
  output_tail: z.string(),
  next_offset: z.number().int(),
});
export const KillDataSchema = z.looseObject({ killed: z.array(z.string()) });
export const KillSessionDataSchema = z.looseObject({
  exit_code: z.number().int().nullable(),
  already_gone: z.boolean(),
});
export const FilesDataSchema = z.looseObject({ path: z.string(), entries: z.array(FileEntrySchema) });
export const GcItemSchema = z.looseObject({ kind: z.string(), name: z.string(), reason: z.string() });
export const GcDataSchema = z.looseObject({ removed: z.array(GcItemSchema), kept: z.array(GcItemSchema) });
export const DoctorDataSchema = z.looseObject({ checks: z.array(CheckSchema) });

export const PortsDataSchema = z.looseObject({ ports: z.array(ListeningPortSchema) });
export const ProxyDataSchema = z.looseObject({ sprite: z.string(), tunnels: z.array(TunnelSchema) });
export const SelftestDataSchema = z.looseObject({
  isolation: z.string().nullable(),
  attempts: z.array(AttemptSchema),
});

export type Isolation = z.infer<typeof IsolationSchema>;
export type Network = z.infer<typeof NetworkSchema>;
export type SpriteState = z.infer<typeof SpriteStateSchema>;
export type VersionData = z.infer<typeof VersionDataSchema>;
export type Resources = z.infer<typeof ResourcesSchema>;
export type Usage = z.infer<typeof UsageSchema>;
export type Session = z.infer<typeof SessionSchema>;
export type Sprite = z.infer<typeof SpriteSchema>;
export type ServiceView = z.infer<typeof ServiceSchema>;
export type FileEntry = z.infer<typeof FileEntrySchema>;
export type Check = z.infer<typeof CheckSchema>;
export type ExecData = z.infer<typeof ExecDataSchema>;
export type AttachData = z.infer<typeof AttachDataSchema>;
export type ListeningPort = Pick<z.infer<typeof ListeningPortSchema>, 'port' | 'address' | 'pid'>;
export type Tunnel = z.infer<typeof TunnelSchema>;
export type Attempt = z.infer<typeof AttemptSchema>;
export type GcItem = z.infer<typeof GcItemSchema>;
