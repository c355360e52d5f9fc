/** Which new files of a sprite git would not track, by the rules of the project and those the sprite has changed. */
import fs from 'node:fs';
import path from 'node:path';
import type { BytePath } from './byte-path.ts';
import type { ProjectRepository } from './file-selection.ts';
import { findIgnored, isRuleFile } from './ignored-paths.ts';
import { compilePatterns } from './patterns.ts';
import type { SpriteChange } from './sprite-changes.ts';
import { fetchFiles } from './sprite-fetch.ts';
import type { SpritePort } from './sprite-port.ts';
import type { SpriteRecord } from './sprite-record.ts';
import type { SpriteScan } from './sprite-scan.ts';

export interface SpriteIgnoreQuestion {
  readonly port: SpritePort;
  readonly root: string;
  /** Empty, and the caller's to remove. */
  readonly workDir: string;
  readonly repositories: readonly ProjectRepository[];
  readonly record: SpriteRecord;
  readonly scan: SpriteScan;
  readonly added: readonly BytePath[];
  readonly changes: readonly SpriteChange[];
  readonly signal?: AbortSignal | undefined;
}

const MAX_RULE_BYTES = 1024 * 1024;
const MAX_RULE_FILES = 1000;

export async function findIgnoredInSprite(question: SpriteIgnoreQuestion): Promise<ReadonlySet<BytePath>> {
  const { record, scan, added, changes } = question;
  const included = compilePatterns(record.include);
  const paths = added.filter((name) => included.match(name) === null);
  if (paths.length === 0) return new Set();
  const changed = new Set(changes.map(({ path: name }) => name));
  const rules = new Map<BytePath, Buffer | null>();
  for (const [name, entry] of scan.entries) {
    const isKept =
      entry.kind === 'file' && isRuleFile(name) && record.entries.has(name) && !changed.has(name);
    if (isKept) rules.set(name, null);
  }
  for (const [name, content] of await fetchRules(question, [...changed], 'c')) rules.set(name, content);
  const addedRules = paths.filter(isRuleFile);
  if (addedRules.length > 0) {
    // Those that came with an ignored directory (a virtual environment, say) have no say outside it.
    const ignoredRules = await ask(question, rules, addedRules);
    const own = addedRules.filter((name) => !ignoredRules.has(name));
    for (const [name, content] of await fetchRules(question, own, 'n')) rules.set(name, content);
  }
  return await ask(question, rules, paths);
}

async function ask(
  { workDir, root, repositories, signal }: SpriteIgnoreQuestion,
  rules: ReadonlyMap<BytePath, Buffer | null>,
  paths: readonly BytePath[],
): Promise<ReadonlySet<BytePath>> {
  return await findIgnored({ workDir, root, repositories, rules, paths, signal });
}

async function fetchRules(
  { port, scan, workDir, signal }: SpriteIgnoreQuestion,
  names: readonly BytePath[],
  prefix: string,
): Promise<Map<BytePath, Buffer>> {
  const wanted = names.filter((name) => {
    const entry = scan.entries.get(name);
    return isRuleFile(name) && entry?.kind === 'file' && entry.sizeBytes <= MAX_RULE_BYTES;
  });
  const fetched = await fetchFiles(port, wanted.slice(0, MAX_RULE_FILES), {
    dir: workDir,
    prefix,
    gitHash: null,
    maxFileBytes: 2 * MAX_RULE_BYTES,
    maxTotalBytes: MAX_RULE_FILES * MAX_RULE_BYTES,
    signal,
  });
  const files = [...fetched.files];
  return new Map(files.map(([name, { blob }]) => [name, fs.readFileSync(path.join(workDir, blob))]));
}
