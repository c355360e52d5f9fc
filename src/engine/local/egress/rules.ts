/**
 * Which names a sprite may reach. The most specific rule wins: an exact name, then the longest `*.suffix`, then
 * `*`; what no rule names is denied. (Rule shapes: docs of the Sprites API, "network policy".)
 */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { NetworkRule } from '../../policy.ts';
import { DEFAULT_DOMAINS } from './presets.ts';

export interface Verdict {
  readonly isAllowed: boolean;
  /** The rule's domain, or null when none matched. */
  readonly rule: string | null;
}

const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const MAX_NAME = 253;

/** The name in the form rules are compared in, or null for what is no DNS name: addresses above all. */
export function normaliseName(host: string): string | null {
  const name = host.toLowerCase().replace(/\.$/, '');
  // A last label of digits makes it an IPv4 address, or something a resolver would take for one.
  const isAddress = /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name);
  return name.length <= MAX_NAME && NAME.test(name) && !isAddress ? name : null;
}

export function judge(rules: readonly NetworkRule[], name: string): Verdict {
  const flat = rules.flatMap(expand);
  for (const pattern of patternsOf(name)) {
    // The later of two rules for one domain wins, as in a file that is added to.
    const rule = flat.findLast(({ domain }) => domain === pattern);
    if (rule) return { isAllowed: rule.action === 'allow', rule: rule.domain };
  }
  return { isAllowed: false, rule: null };
}

/** `a.b.c` → a.b.c, *.b.c, *.c, * */
function patternsOf(name: string): string[] {
  const labels = name.split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  return [name, ...wildcards, '*'];
}

function expand(rule: NetworkRule): { domain: string; action: 'allow' | 'deny' }[] {
  if ('include' in rule) return DEFAULT_DOMAINS.map((domain) => ({ domain, action: 'allow' }));
  return [rule];
}

/** Rules with their names normalised. Throws `USAGE`. */
export function checkRules(rules: readonly NetworkRule[]): NetworkRule[] {
  return rules.map((rule) => ('include' in rule ? rule : { ...rule, domain: checkDomain(rule.domain) }));
}

/** An exact name, `*.suffix` or `*`. Throws `USAGE`. */
export function checkDomain(domain: string): string {
  if (domain === '*') return domain;
  const isWildcard = domain.startsWith('*.');
  const name = normaliseName(isWildcard ? domain.slice(2) : domain);
  if (name !== null) return isWildcard ? `*.${name}` : name;
  throw new WreckitError(
    'USAGE',
    `network rule: ${quote(domain)} is not a domain such as "example.com" or "*.example.com"`,
    {
      hint: 'give names only: addresses, ports and URLs are not rules',
    },
  );
}
