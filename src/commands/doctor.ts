import type { SpriteRunner } from '../agent/sprite-runner.ts';
import type { LoadedConfig } from '../config.ts';
import { EXIT } from '../contract/error-codes.ts';
import type { Check } from '../contract/schemas.ts';
import { toWreckitError } from '../errors.ts';
import { configOf, spriteRunnerOf } from './context.ts';
import { checkAgentProgram, checkModelKey } from './doctor/agent-checks.ts';
import { checked, fail } from './doctor/check.ts';
import { checkConfig, checkIgnored, checkSecrets, fixIgnored, fixSecrets } from './doctor/project-checks.ts';
import { checkRuntime } from './doctor/runtime-check.ts';
import { checkToken, wispChecks } from './doctor/wisp-checks.ts';
import type { WreckitContext, WreckitVerb } from './globals.ts';

type Context = WreckitContext<{ fix?: boolean }>;

export const verb: WreckitVerb<{ fix?: boolean }> = {
  define: (command) =>
    command.option('--fix', 'Fix what is safe to fix: ignore rules, file modes, half-made sprites'),
  examples: [
    ['wreckit doctor', 'Check everything and print the fix of each fault'],
    ['wreckit doctor --fix', 'Fix what is safe to fix, then check'],
    ['wreckit doctor --json', 'For scripts; exit code 1 when a check fails'],
  ],
  async run(context) {
    const loaded = await loadOrNull(context);
    const { options, globals } = context;
    const fixed = options.fix === true && loaded.config !== null ? await fixAll(context, loaded.config) : [];
    const checks = loaded.config === null ? loaded.checks : await checkAll(context, loaded.config);
    const isFixWanted = options.fix === true;
    const text = [
      ...fixed.map((what) => `${globals.dryRun === true ? 'would fix' : 'fixed'}: ${what}`),
      ...checks.map(checkText),
      summary(checks, isFixWanted),
    ].join('\n');
    const hasFailed = checks.some(({ status }) => status === 'fail');
    const exitCode = loaded.config === null ? EXIT.usage : hasFailed ? EXIT.failed : EXIT.ok;
    return { data: { checks, fixed, dry_run: globals.dryRun === true }, text, exitCode };
  },
};

/** A configuration that is refused is the one thing to mend: nothing else is asked with settings that are not in force. */
async function loadOrNull(context: Context): Promise<{ config: LoadedConfig | null; checks: Check[] }> {
  const runtime = await checked('runtime', () => checkRuntime(context));
  try {
    return { config: await configOf(context), checks: [] };
  } catch (error) {
    const { code, message, hint } = toWreckitError(error);
    if (code !== 'CONFIG_INVALID') throw error;
    return { config: null, checks: [runtime, { name: 'config', ...fail(message, hint) }] };
  }
}

async function checkAll(context: Context, loaded: LoadedConfig): Promise<Check[]> {
  const { signal, globals } = context;
  const runner = await spriteRunnerOf(context, loaded);
  const groups = await Promise.all([
    checked('runtime', () => checkRuntime(context)),
    checked('config', () => checkConfig(loaded)),
    wispChecks(runner, signal),
    checked('sprites-token', () =>
      checkToken(loaded, globals.engine ?? loaded.config.engine, kindOf(runner)),
    ),
    checked('agent', () => checkAgentProgram(loaded, context)),
    checked('model-key', () => checkModelKey(loaded, context)),
    checked('secrets', () => checkSecrets(loaded)),
    checked('git', () => checkIgnored(loaded.projectRoot, signal)),
  ]);
  signal.throwIfAborted();
  return groups.flat();
}

/** A wisp that is not there says nothing of itself. */
function kindOf(runner: SpriteRunner): Partial<Pick<SpriteRunner, 'dialect' | 'isBundled'>> {
  try {
    return { dialect: runner.dialect, isBundled: runner.isBundled };
  } catch {
    return {};
  }
}

/** What was (or under --dry-run: would be) mended. */
async function fixAll(context: Context, loaded: LoadedConfig): Promise<string[]> {
  const isDryRun = context.globals.dryRun === true;
  const done: (string | null)[] = [];
  const attempts: [what: string, mend: () => Promise<string | null> | string | null][] = [
    ['ignore lines', () => fixIgnored(loaded.projectRoot, isDryRun)],
    ['file modes', () => fixSecrets(loaded, isDryRun)],
    ['sprites', () => fixSprites(context, loaded, isDryRun)],
  ];
  for (const [what, mend] of attempts) {
    try {
      done.push(await mend());
    } catch (error) {
      context.signal.throwIfAborted();
      // The check of the same thing says what is wrong; the others are still mended.
      await context.warn(`${what} cannot be fixed: ${toWreckitError(error).message}`);
    }
  }
  return done.filter((what) => what !== null);
}

async function fixSprites(context: Context, loaded: LoadedConfig, dryRun: boolean): Promise<string | null> {
  const runner = await spriteRunnerOf(context, loaded);
  const { removed } = await runner.gc({ dryRun, signal: context.signal });
  if (removed.length === 0) return null;
  return `remove ${removed.map(({ name, reason }) => `${name} (${reason})`).join(', ')}`;
}

/** The checks that `--fix` does something about. */
const FIXABLE = new Set(['git', 'secrets', 'sprites']);

const MARKS: Readonly<Record<Check['status'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

function checkText({ name, status, message, fix }: Check): string {
  const line = `${MARKS[status]}  ${name}: ${message}`;
  return fix === null || status === 'ok' ? line : `${line}\n      fix: ${fix}`;
}

function summary(checks: readonly Check[], isFixWanted: boolean): string {
  const failed = checks.filter(({ status }) => status === 'fail').length;
  const warned = checks.filter(({ status }) => status === 'warn').length;
  if (failed + warned === 0) return '\nEverything is in order';
  const canFix = !isFixWanted && checks.some(({ name, status }) => status !== 'ok' && FIXABLE.has(name));
  const advice = canFix ? '; wreckit doctor --fix repairs what is safe to repair' : '';
  return `\n${failed} failed, ${warned} warned${advice}`;
}
