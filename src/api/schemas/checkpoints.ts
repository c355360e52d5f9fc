import { z } from 'zod';

export const ApiCheckpoint = z.object({
  id: z.string(),
  create_time: z.iso.datetime(),
  source_id: z.string().optional(),
  comment: z.string().optional(),
  health: z.enum(['', 'mount_failed']),
  history: z.array(z.string()),
  is_auto: z.boolean(),
  size_bytes: z.number(),
});
export const CheckpointList = z.array(ApiCheckpoint);
export const CreateCheckpoint = z.object({ comment: z.string().max(4096).nullish() });
export const CheckpointStep = z.object({
  type: z.enum(['info', 'stdout', 'stderr', 'error', 'complete']),
  data: z.string().optional(),
  error: z.string().optional(),
  time: z.iso.datetime(),
});
