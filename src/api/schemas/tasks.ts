/** What keeps a sprite awake for a time. */
import { z } from 'zod';

/** Seconds, or a duration such as `10m`. */
const Expire = z.union([z.number().positive(), z.string().min(1).max(32)]);

export const CreateTask = z.object({ name: z.string(), expire: Expire });
export const UpsertTasks = z.object({ name: z.string().optional(), expire: Expire });

export const Task = z.object({ name: z.string(), created_at: z.string(), expires_at: z.string() });
export const TaskList = z.object({ tasks: z.array(Task) });
