import { z } from 'zod';

const MAX_RULES = 1000;
const MAX_DEVICES = 64;

export const NetworkPolicy = z.object({
  rules: z
    .array(
      z.union([
        z.object({ domain: z.string().min(1).max(255), action: z.enum(['allow', 'deny']) }),
        z.object({ include: z.literal('defaults') }),
      ]),
    )
    .max(MAX_RULES),
});

export const Privileges = z.object({
  profile: z.enum(['', 'minimal', 'standard', 'privileged']).default(''),
  devices: z.array(z.string().max(4096)).max(MAX_DEVICES).nullish(),
  noNewPrivileges: z.boolean().nullish(),
});

export const Resources = z.object({
  memory: z.object({ limit_mb: z.number().positive().nullish(), autoscale: z.boolean().nullish() }).nullish(),
  cpus: z.number().positive().nullish().describe('null: not limited; absent: as it is'),
  pids: z.int().positive().nullish().describe('null: the usual limit; absent: as it is'),
});
