/** Policies: what a sprite may reach, do and use. */
import type { z } from 'zod';
import type { PolicyOps } from '../../engine/engine.ts';
import type { ApiContext } from '../api-context.ts';
import { capability } from '../capability.ts';
import { findSprite } from '../find-sprite.ts';
import { fromApiRules, toApiRules } from '../network-rules.ts';
import { json, noContent } from '../reply.ts';
import { httpRoute, type PathParams, type Route } from '../route.ts';
import { NetworkPolicy, Privileges, Resources } from '../schemas/policy.ts';

type Kind = keyof PolicyOps;
type Part<K extends Kind> = NonNullable<PolicyOps[K]>;

/** A sprite that isn't there is that, whatever the engine lacks. */
async function partOf<K extends Kind>(
  { engine }: ApiContext,
  { name }: PathParams,
  kind: K,
  signal: AbortSignal,
): Promise<Part<K>> {
  await findSprite(engine, name, signal);
  const part: PolicyOps[K] | undefined = engine.policy?.[kind];
  return capability<Part<K>>(part ?? undefined, `${kind} policy`);
}

const path = (kind: Kind): string => `/v1/sprites/{name}/policy/${kind}`;

const getNetwork = httpRoute({
  method: 'GET',
  path: path('network'),
  summary: 'Get the network policy: which names a sprite may reach',
  answers: { 200: NetworkPolicy },
  async handle({ api, params, signal }) {
    const part = await partOf(api, params, 'network', signal);
    return json({ rules: toApiRules(await part.get(params.name, { signal })) });
  },
});

const setNetwork = httpRoute({
  method: 'POST',
  path: path('network'),
  summary: 'Set the network policy; in force at once',
  description: 'No rules at all means no restriction; otherwise what no rule names is denied.',
  body: NetworkPolicy,
  answers: { 204: null },
  async handle({ api, params, body, signal }) {
    const part = await partOf(api, params, 'network', signal);
    await part.set(params.name, fromApiRules(body.rules), { signal });
    return noContent();
  },
});

const getPrivileges = httpRoute({
  method: 'GET',
  path: path('privileges'),
  summary: "Get the privileges of a sprite's processes",
  answers: { 200: Privileges },
  async handle({ api, params, signal }) {
    const part = await partOf(api, params, 'privileges', signal);
    return json(await part.get(params.name, { signal }));
  },
});

const setPrivileges = httpRoute({
  method: 'POST',
  path: path('privileges'),
  summary: "Set the privileges of a sprite's processes",
  body: Privileges,
  answers: { 204: null },
  async handle({ api, params, body, signal }) {
    const part = await partOf(api, params, 'privileges', signal);
    const { profile, devices, noNewPrivileges } = body;
    const policy = { profile, devices: devices ?? [], noNewPrivileges: noNewPrivileges ?? undefined };
    await part.set(params.name, policy, { signal });
    return noContent();
  },
});

const getResources = httpRoute({
  method: 'GET',
  path: path('resources'),
  summary: 'Get the resource limits',
  answers: { 200: Resources },
  async handle({ api, params, signal }) {
    const part = await partOf(api, params, 'resources', signal);
    const { memory, cpus = null, pids = null } = await part.get(params.name, { signal });
    return json({ memory: { limit_mb: memory.limitMb, autoscale: memory.autoscale }, cpus, pids });
  },
});

const setResources = httpRoute({
  method: 'POST',
  path: path('resources'),
  summary: 'Set the resource limits; in force at once',
  body: Resources,
  answers: { 204: null },
  async handle({ api, params, body, signal }) {
    const part = await partOf(api, params, 'resources', signal);
    // Absent: as it is.
    const memory = body.memory ? memoryOf(body) : (await part.get(params.name, { signal })).memory;
    await part.set(params.name, { memory, cpus: body.cpus, pids: body.pids }, { signal });
    return noContent();
  },
});

function memoryOf({ memory }: z.output<typeof Resources>) {
  return { limitMb: memory?.limit_mb ?? null, autoscale: memory?.autoscale ?? false };
}

const resets = (['network', 'privileges', 'resources'] as const).map((kind) =>
  httpRoute({
    method: 'DELETE',
    path: path(kind),
    summary: 'Reset the resource limits to the defaults',
    answers: { 204: null },
    async handle({ api, params, signal }) {
      const part = await partOf(api, params, kind, signal);
      await part.reset(params.name, { signal });
      return noContent();
    },
  }),
);

export const policyRoutes: readonly Route[] = [
  getNetwork,
  setNetwork,
  getPrivileges,
  setPrivileges,
  getResources,
  setResources,
  ...resets,
];
