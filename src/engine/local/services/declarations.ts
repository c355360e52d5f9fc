/** Which services a sprite may have beside each other: every need is there, nothing goes in a circle. */
import { isServiceName, quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { ServiceSpec } from '../../services.ts';

type Specs = ReadonlyMap<string, Pick<ServiceSpec, 'needs' | 'httpPort'>>;

/** A sprite is one machine: more than this is a mistake in a script. */
const MAX_SERVICES = 100;
const MAX_PORT = 65_535;

/** Throws `USAGE`. */
export function assertDeclarable(service: string, { needs, httpPort }: ServiceSpec): void {
  for (const need of needs) {
    if (!isServiceName(need))
      throw new WreckitError('USAGE', `service needs: ${quote(need)} is not a service's name`);
  }
  if (httpPort === null || (Number.isInteger(httpPort) && httpPort >= 1 && httpPort <= MAX_PORT)) return;
  throw new WreckitError(
    'USAGE',
    `service ${quote(service)}: HTTP port ${httpPort} is not between 1 and ${MAX_PORT}`,
  );
}

/** `specs`: what is declared now. Throws `USAGE`, `CONFLICT`. */
export function assertFits(specs: Specs, service: string, spec: ServiceSpec): void {
  const missing = spec.needs.find((need) => need !== service && !specs.has(need));
  if (missing !== undefined) {
    throw new WreckitError(
      'USAGE',
      `service ${quote(service)}: it needs ${quote(missing)}, which is not declared`,
      {
        hint: 'add the service that is needed first',
      },
    );
  }
  const all = new Map<string, Pick<ServiceSpec, 'needs' | 'httpPort'>>([...specs, [service, spec]]);
  const circle = circleFrom(all, service);
  if (circle !== null) {
    throw new WreckitError(
      'USAGE',
      `service ${quote(service)}: its needs go in a circle: ${circle.join(' → ')}`,
      {
        details: { circle },
      },
    );
  }
  const [other] = [...specs].find(([name, { httpPort }]) => name !== service && httpPort !== null) ?? [];
  if (spec.httpPort !== null && other !== undefined) {
    throw new WreckitError(
      'CONFLICT',
      `service ${quote(service)}: another service already has an HTTP port configured, ${quote(other)}`,
      {
        hint: 'a sprite has one HTTP port: remove that service, or declare it again without one',
        details: { service: other },
      },
    );
  }
  if (all.size > MAX_SERVICES) {
    throw new WreckitError(
      'CONFLICT',
      `service ${quote(service)}: the sprite has ${MAX_SERVICES} services already`,
      {
        hint: 'remove one that is no longer needed: wisp service list NAME',
      },
    );
  }
}

/** Throws `CONFLICT` when another service needs it. */
export function assertUnneeded(specs: Specs, service: string): void {
  const dependents = [...specs].filter(([, { needs }]) => needs.includes(service)).map(([name]) => name);
  if (dependents.length === 0) return;
  const names = dependents.map(quote).join(', ');
  throw new WreckitError(
    'CONFLICT',
    `service ${quote(service)}: ${names} ${dependents.length === 1 ? 'needs' : 'need'} it`,
    {
      hint: 'remove what needs it first, or declare that without the need',
      details: { needed_by: dependents },
    },
  );
}

/** The services with all that they need, each after what it needs. */
export function inOrder(specs: Specs, services: readonly string[]): string[] {
  const order = new Set<string>();
  const visit = (service: string, path: readonly string[]): void => {
    if (order.has(service) || path.includes(service)) return;
    for (const need of specs.get(service)?.needs ?? []) visit(need, [...path, service]);
    if (specs.has(service)) order.add(service);
  };
  for (const service of services) visit(service, []);
  return [...order];
}

/** A way from the service back to it. */
function circleFrom(specs: Specs, service: string): string[] | null {
  const seen = new Set<string>();
  const follow = (path: readonly string[]): string[] | null => {
    for (const need of specs.get(path.at(-1) ?? '')?.needs ?? []) {
      if (need === service) return [...path, need];
      if (seen.has(need)) continue;
      seen.add(need);
      const circle = follow([...path, need]);
      if (circle !== null) return circle;
    }
    return null;
  };
  return follow([service]);
}
