/** Policies over the API. A rule set is read back: one that did not stick is a failure, never a note. */
import { isObject, numberOr, textOr, textsOf } from '../../contract/json-value.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { NetworkRule, PolicyOps, PolicyPart, PrivilegesPolicy, ResourcesPolicy } from '../policy.ts';
import type { Waiting } from '../waiting.ts';
import { type ApiClient, apiPath } from './api-client.ts';
import { areSameRules, rulesForApi, rulesIn, rulesOfApi } from './network-rules.ts';

type Kind = 'network' | 'privileges' | 'resources';

export function cloudPolicy(
  client: ApiClient,
): PolicyOps & { readonly network: PolicyPart<readonly NetworkRule[]> } {
  return {
    network: {
      get: async (name, waiting) => rulesOfApi(rulesIn(await read(client, name, 'network', waiting))),
      set: (name, rules, waiting) => setNetwork(client, name, rules, waiting),
      reset: (name, waiting) => reset(client, name, 'network', waiting),
    },
    privileges: {
      get: async (name, waiting) => privilegesOf(await read(client, name, 'privileges', waiting)),
      set: (name, policy, waiting) => write(client, name, 'privileges', policy, waiting),
      reset: (name, waiting) => reset(client, name, 'privileges', waiting),
    },
    resources: {
      get: async (name, waiting) => resourcesOf(await read(client, name, 'resources', waiting)),
      set: (name, policy, waiting) => setResources(client, name, policy, waiting),
      reset: (name, waiting) => reset(client, name, 'resources', waiting),
    },
  };
}

/** Throws `POLICY_DENIED` when other rules are in force than those that were sent. */
async function setNetwork(
  client: ApiClient,
  name: string,
  rules: readonly NetworkRule[],
  waiting: Waiting = {},
): Promise<void> {
  const sent = rulesForApi(rules);
  await write(client, name, 'network', { rules: sent }, waiting);
  const inForce = rulesIn(await read(client, name, 'network', waiting));
  if (areSameRules(inForce, sent)) return;
  throw new WreckitError(
    'POLICY_DENIED',
    `network policy of ${quote(name)}: the server took it, but other rules are in force`,
    {
      hint: `see them: wisp --engine cloud policy get ${name}`,
      details: { wanted: sent, in_force: inForce },
    },
  );
}

/** Throws `UNSUPPORTED` for a limit the server does not tell: it would be taken and forgotten. */
async function setResources(
  client: ApiClient,
  name: string,
  { memory, cpus, pids }: ResourcesPolicy,
  waiting: Waiting = {},
): Promise<void> {
  const known = resourcesOf(await read(client, name, 'resources', waiting));
  const wanted = { cpus, pids } as const;
  const unknown = (['cpus', 'pids'] as const).filter(
    (key) => wanted[key] != null && known[key] === undefined,
  );
  if (unknown.length > 0) {
    throw new WreckitError(
      'UNSUPPORTED',
      `${doing(name, 'resources')}: the server has no limit of ${unknown.join(', ')}`,
      {
        hint: 'set the limit of memory alone',
      },
    );
  }
  const limits = { memory: { limit_mb: memory.limitMb, autoscale: memory.autoscale } };
  const more = {
    ...(known.cpus === undefined ? {} : { cpus }),
    ...(known.pids === undefined ? {} : { pids }),
  };
  await write(client, name, 'resources', { ...limits, ...more }, waiting);
}

async function read(client: ApiClient, name: string, kind: Kind, waiting: Waiting = {}): Promise<unknown> {
  return await client.json({
    method: 'GET',
    route: route(name, kind),
    doing: doing(name, kind),
    canRepeat: true,
    ...waiting,
  });
}

async function write(
  client: ApiClient,
  name: string,
  kind: Kind,
  json: unknown,
  waiting: Waiting = {},
): Promise<void> {
  await client.bytes(
    { method: 'POST', route: route(name, kind), doing: doing(name, kind), json, canRepeat: true, ...waiting },
    MAX_ANSWER_BYTES,
  );
}

async function reset(client: ApiClient, name: string, kind: Kind, waiting: Waiting = {}): Promise<void> {
  const call = {
    method: 'DELETE',
    route: route(name, kind),
    doing: doing(name, kind),
    canRepeat: true,
  } as const;
  await client.bytes({ ...call, ...waiting }, MAX_ANSWER_BYTES);
}

const MAX_ANSWER_BYTES = 1024 * 1024;

function route(name: string, kind: Kind): string {
  return apiPath(['sprites', assertSpriteName(name), 'policy', kind]);
}

function doing(name: string, kind: Kind): string {
  return `${kind} policy of ${quote(name)}`;
}

const PROFILES: readonly string[] = ['', 'minimal', 'standard', 'privileged'];

function privilegesOf(raw: unknown): PrivilegesPolicy {
  const { profile, devices, noNewPrivileges } = isObject(raw) ? raw : {};
  const known = textOr(profile, '');
  return {
    profile: PROFILES.includes(known) ? (known as PrivilegesPolicy['profile']) : '',
    devices: textsOf(devices),
    noNewPrivileges: noNewPrivileges === true,
  };
}

function resourcesOf(raw: unknown): ResourcesPolicy {
  const facts = isObject(raw) ? raw : {};
  const memory = isObject(facts.memory) ? facts.memory : {};
  return {
    memory: { limitMb: numberOr(memory.limit_mb, null), autoscale: memory.autoscale === true },
    ...(facts.cpus === undefined ? {} : { cpus: numberOr(facts.cpus, null) }),
    ...(facts.pids === undefined ? {} : { pids: numberOr(facts.pids, null) }),
  };
}
