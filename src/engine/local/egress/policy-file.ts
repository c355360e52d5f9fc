/** A sprite's network rules, `policy.json`: the proxy reads them anew for each connection. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, writeJsonFile } from '../../json-file.ts';
import type { NetworkRule } from '../../policy.ts';
import { checkRules } from './rules.ts';

/** What a filtered sprite may reach when nobody said otherwise. */
export const DEFAULT_RULES: readonly NetworkRule[] = [{ include: 'defaults' }];

function policyFile(spriteDir: string): string {
  return join(spriteDir, 'policy.json');
}

/** Throws `USAGE` for what is no rule; nothing is written then. */
export function writeRules(spriteDir: string, rules: readonly NetworkRule[]): void {
  writeJsonFile(policyFile(spriteDir), { rules: checkRules(rules) });
}

/** A file that can't be read allows nothing. */
export function readRules(spriteDir: string): NetworkRule[] {
  const path = policyFile(spriteDir);
  if (!existsSync(path)) return [...DEFAULT_RULES];
  const value = readJsonFile(path);
  const rules = typeof value === 'object' && value !== null && 'rules' in value ? value.rules : null;
  return Array.isArray(rules) ? rules.filter(isRule) : [];
}

function isRule(value: unknown): value is NetworkRule {
  if (typeof value !== 'object' || value === null) return false;
  if ('include' in value) return value.include === 'defaults';
  if (!('domain' in value) || !('action' in value)) return false;
  return typeof value.domain === 'string' && (value.action === 'allow' || value.action === 'deny');
}
