/** What every `wreckit sprite` verb begins with: the configuration, and the runner it asks for. */
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import type { WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { VerbContext, VerbResult } from '../../cli/verb.ts';
import { type LoadedConfig, loadConfig } from '../../config.ts';
import type { SpriteAgentConfig } from '../../schemas.ts';
import type { WreckitGlobals } from '../globals.ts';

export interface SpriteTools {
  readonly runner: SpriteRunner;
  /** How sprites are made; flags win over it. */
  readonly settings: SpriteAgentConfig;
  readonly loaded: LoadedConfig;
}

type Context = Pick<
  VerbContext<object, readonly unknown[], WreckitGlobals>,
  'cwd' | 'globals' | 'io' | 'signal' | 'warn'
>;

/** Runs `use`, then says what wisp had to warn of, also when it failed. Throws `CONFIG_INVALID`. */
export async function withSprites(
  context: Context,
  use: (tools: SpriteTools) => Promise<VerbResult>,
): Promise<VerbResult> {
  const { cwd, globals, io } = context;
  const configFile = globals.config ?? io.env.WRECKIT_CONFIG;
  const loaded = await loadConfig({ cwd, env: io.env, configFile });
  for (const notice of loaded.notices) await context.warn(notice);
  const settings = loaded.sprite;
  const warnings: string[] = [];
  const talk: string[] = [];
  const runner = new SpriteRunner({
    wispPath: settings.wispPath,
    env: io.env,
    cwd,
    engine: globals.engine ?? io.env.WRECKIT_ENGINE,
    token: loaded.spritesToken?.value,
    timeoutMs: settings.timeout * 1000,
    onWarning: (text) => warnings.push(text),
    onTalk: (text) => talk.push(text),
  });
  try {
    return await use({ runner, settings, loaded });
  } finally {
    for (const text of warnings) await context.warn(text);
    if (globals.verbose === true) for (const text of talk) await io.stderr.write(`wisp: ${text}\n`);
  }
}

/** The answer under `--dry-run`: what would be run, and nothing was. */
export function plannedCommands(
  runner: SpriteRunner,
  commands: readonly (WispCommand | RawCommand)[],
  more: { readonly data?: object; readonly lines?: readonly string[] } = {},
): VerbResult {
  const argvs = commands.map((command) =>
    'raw' in command ? runner.commandLine(command.raw, { json: false }) : runner.commandLine(command),
  );
  const lines = [
    ...argvs.map((argv) => `would run: ${argv.map(shellWord).join(' ')}`),
    ...(more.lines ?? []),
  ];
  return { data: { dry_run: true, commands: argvs, ...more.data }, text: lines.join('\n') };
}

/** A call without `--json`, whose bytes go through. */
export interface RawCommand {
  readonly raw: WispCommand;
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
