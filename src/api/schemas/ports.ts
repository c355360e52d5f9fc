import { z } from 'zod';

const port = { port: z.int(), address: z.string(), pid: z.int() };
export const PortMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('port_list'),
    ports: z.array(z.object({ type: z.literal('port_opened'), ...port })),
  }),
  z.object({ type: z.enum(['port_opened', 'port_closed']), ...port }),
]);

const MAX_PORT = 65_535;
export const ProxyRequest = z.object({
  host: z.string().max(255).default(''),
  port: z.int().min(1).max(MAX_PORT),
});
export const ProxyAnswer = z.object({
  status: z.enum(['connected', 'error']),
  target: z.string(),
  error: z.string().optional(),
});
