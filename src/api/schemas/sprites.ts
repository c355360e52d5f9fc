import { z } from 'zod';

export const SpriteStatus = z.enum(['cold', 'warm', 'running']);

const Time = z.iso.datetime();

export const UrlSettings = z.object({
  auth: z.enum(['sprite', 'public']).default('sprite'),
  private_access: z.enum(['admins', 'org_users']).optional(),
});

export const ApiSprite = z.object({
  id: z.string(),
  name: z.string(),
  organization: z.string(),
  org_slug: z.string(),
  url: z.string(),
  url_settings: UrlSettings,
  status: SpriteStatus,
  created_at: Time,
  updated_at: Time,
  last_running_at: Time.nullable(),
  last_warming_at: Time.nullable(),
  version: z.string().nullable(),
  environment_version: z.string().nullable(),
  labels: z.array(z.string()),
  state: z.string().describe('The state as `wisp` tells it'),
  isolation: z.string().nullable(),
  network: z.enum(['open', 'filtered', 'none']),
  resources: z.object({
    memory_bytes: z.number().nullable(),
    cpus: z.number().nullable(),
    pids: z.number().nullable(),
  }),
  warnings: z.array(z.string()),
  error: z.string().nullable(),
});

const Counters = {
  running: z.int(),
  warm: z.int(),
  cold: z.int(),
  running_limit: z.int().nullable(),
  warm_limit: z.int().nullable(),
};
export const Organization = z.object({ name: z.string(), ...Counters });

export const SpriteList = z.object({
  sprites: z.array(ApiSprite),
  has_more: z.boolean(),
  next_continuation_token: z.string().nullable(),
  name: z.string(),
  ...Counters,
  org: Organization,
});

export const SpriteEvent = z.union([
  z.object({ type: z.literal('heartbeat') }),
  z.object({
    type: z.enum(['state', 'deleted']),
    name: z.string(),
    status: SpriteStatus,
    running_version: z.string().nullable(),
    last_running_at: Time.nullable(),
    last_warming_at: Time.nullable(),
    timestamp: Time,
    org: Organization,
  }),
]);

const MAX_LABELS = 64;
const MAX_LABEL_CHARS = 256;
const Label = z
  .string()
  .min(1)
  .max(MAX_LABEL_CHARS)
  .regex(/^\P{Cc}+$/u, 'it has control characters');
export const Labels = z.array(Label).max(MAX_LABELS);

const Config = z.object({
  ram_mb: z.number().positive().optional(),
  cpus: z.number().positive().optional(),
  region: z.string().optional(),
  storage_gb: z.number().positive().optional(),
});

/** Keys in either spelling: see `snakeKeys`. */
export const CreateSprite = z.object({
  name: z.string(),
  config: Config.nullish().describe('`ram_mb` and `cpus` are wishes; the rest has no meaning here'),
  environment: z.record(z.string(), z.string()).nullish(),
  url_settings: UrlSettings.nullish(),
  labels: Labels.nullish(),
  wait_for_capacity: z.boolean().nullish(),
  runtime: z.string().nullish(),
  network: z.enum(['open', 'filtered', 'none']).nullish().describe('Beyond the API: what it may reach'),
  allow: z
    .array(z.string().min(1).max(255))
    .max(1000)
    .nullish()
    .describe('With `network: filtered`: the names it may reach'),
});

export const UpdateSprite = z.object({
  url_settings: UrlSettings.nullish(),
  labels: Labels.nullish(),
  clear_labels: z.boolean().nullish(),
});

export const RestartResult = z.object({
  sprite_name: z.string(),
  machine_id: z.string(),
  message: z.string(),
});
export const CheckResult = z.object({
  sprite_name: z.string(),
  sprite_id: z.string(),
  status: z.enum(['healthy', 'unhealthy']),
  reason: z.string().nullable(),
  checked_at: Time,
  elapsed: z.string(),
});
