/** What every `wreckit sprite` verb begins with: the configuration, and the runner it asks for. */
import type { SpriteRunner } from '../../agent/sprite-runner.ts';
import type { WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import { say } from '../../cli/output.ts';
import { shownMessage } from '../../cli/shown-text.ts';
import type { VerbResult } from '../../cli/verb.ts';
import type { LoadedConfig } from '../../config.ts';
import type { SpriteAgentConfig } from '../../schemas.ts';
import { type AnyContext, configOf, spriteRunnerOf } from '../context.ts';

export interface SpriteTools {
  readonly runner: SpriteRunner;
  /** How sprites are made; flags win over it. */
  readonly settings: SpriteAgentConfig;
  readonly loaded: LoadedConfig;
}

/** Runs `use`, then says what wisp had to warn of, also when it failed. Throws `CONFIG_INVALID`. */
export async function withSprites(
  context: AnyContext,
  use: (tools: SpriteTools) => Promise<VerbResult>,
): Promise<VerbResult> {
  const loaded = await configOf(context);
  for (const notice of loaded.notices) await context.warn(notice);
  const heard: (() => Promise<unknown>)[] = [];
  const runner = await spriteRunnerOf(context, loaded, {
    onWarning: (text) => heard.push(() => context.warn(text)),
    onTalk: (text) => {
      if (context.globals.verbose === true)
        heard.push(() => say(context.io, `wisp: ${shownMessage(text)}\n`));
    },
  });
  try {
    return await use({ runner, settings: loaded.sprite, loaded });
  } finally {
    for (const tell of heard) await tell();
  }
}

/** The answer under `--dry-run`: what would be run, and nothing was. */
export function plannedCommands(
  runner: SpriteRunner,
  commands: readonly (WispCommand | RawCommand)[],
  more: { readonly data?: object; readonly lines?: readonly string[] } = {},
): VerbResult {
  const argvs = commands.flatMap((command) =>
    'raw' in command ? runner.commandLines(command.raw, { json: false }) : runner.commandLines(command),
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
