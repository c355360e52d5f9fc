/** The project's own side: its files, what git ignores of them, who can read the secrets. */
import { chmodSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isSecretKey } from '../../config/redact.ts';
import type { LoadedConfig } from '../../config.ts';
import { run } from '../../process/run.ts';
import { IGNORE_LINES, planIgnoreLines, writeIgnoreLines } from '../init/ignore-lines.ts';
import { fail, type Outcome, ok, warn } from './check.ts';

const LOCAL_FILE = join('.wreckit', 'config.local.json');
const DEADLINE_MS = 10_000;

export function checkConfig({ files, notices }: LoadedConfig): Outcome {
  const read =
    files.length === 0 ? 'no file, the defaults are in force' : files.map(({ label }) => label).join(', ');
  if (notices.length === 0) return ok(read);
  return warn(`${read}; ${notices.join('; ')}`, 'remove or correct them: wreckit config show --origin');
}

/** Secrets and run records must not get into the repository. */
export async function checkIgnored(root: string, signal: AbortSignal): Promise<Outcome> {
  const inside = await run(['git', 'rev-parse', '--is-inside-work-tree'], {
    cwd: root,
    timeoutMs: DEADLINE_MS,
    signal,
  });
  if (inside.spawnError !== null)
    return fail('git is not installed; changes cannot be landed without it', 'sudo apt-get install -y git');
  if (inside.failed)
    return warn(
      'this is not a git repository: changes of agents come back as files, not as branches',
      'git init',
    );
  const shown: string[] = [];
  for (const line of IGNORE_LINES) {
    const path = line.endsWith('/') ? `${line}record` : line;
    const result = await run(['git', 'check-ignore', '-q', '--no-index', path], {
      cwd: root,
      timeoutMs: DEADLINE_MS,
      signal,
    });
    if (result.exitCode !== 0) shown.push(line);
  }
  if (shown.length === 0) return ok(`git ignores ${IGNORE_LINES.join(' and ')}`);
  return warn(
    `git does not ignore ${shown.join(' and ')}`,
    'wreckit doctor --fix, or add them to .gitignore',
  );
}

/** Adds the lines; says what it did, or null where there was nothing to do. */
export function fixIgnored(root: string, isDryRun: boolean): string | null {
  const plan = planIgnoreLines(root);
  if (plan.missing.length === 0) return null;
  if (!isDryRun) writeIgnoreLines(plan);
  return `add to .gitignore: ${plan.missing.join(', ')}`;
}

/** Who can read the secrets, and whether they stand where git would commit them. */
export function checkSecrets(loaded: LoadedConfig): Outcome {
  const local = join(loaded.projectRoot, LOCAL_FILE);
  const exposed = loaded.files
    .filter(({ path }) => path !== local && holdsSecret(loaded, path))
    .filter(({ path }) => isInside(loaded.projectRoot, path));
  const [first] = exposed;
  if (first !== undefined)
    return warn(
      `a secret stands in ${first.label}, which others get with the project`,
      `move it to ${LOCAL_FILE}`,
    );
  const open = readableByOthers(loaded);
  if (open === null) return ok('no secret is where others could read it');
  return warn(
    `others on this machine can read ${open.label}, which holds a secret`,
    `chmod 600 ${open.path}`,
  );
}

export function fixSecrets(loaded: LoadedConfig, isDryRun: boolean): string | null {
  const open = readableByOthers(loaded);
  if (open === null) return null;
  if (!isDryRun) chmodSync(open.path, 0o600);
  return `chmod 600 ${open.path}`;
}

function readableByOthers(loaded: LoadedConfig): { path: string; label: string } | null {
  const open = loaded.files.find(({ path }) => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o077) !== 0 && holdsSecret(loaded, path);
  });
  return open ?? null;
}

function holdsSecret({ spritesToken, config, originOf }: LoadedConfig, file: string): boolean {
  if (spritesToken?.origin.source === file) return true;
  const { agent } = config;
  const places: [path: string[], env: Readonly<Record<string, string>> | undefined][] = [
    [['agent', 'env'], agent.env],
  ];
  if (agent.kind === 'sprite') places.push([['agent', 'agent', 'env'], agent.agent.env]);
  return places.some(([path, env]) =>
    Object.keys(env ?? {}).some(
      (name) => isSecretKey([...path, name]) && originOf([...path, name]).source === file,
    ),
  );
}

function isInside(root: string, path: string): boolean {
  return !relative(root, path).startsWith('..');
}
