/** What the verbs of `wreckit` build from their context: the configuration and the way to sprites. */
import type { SpriteRunner } from '../agent/sprite-runner.ts';
import type { FlagValue, LoadedConfig } from '../config.ts';
import type { WreckitContext } from './globals.ts';

export type AnyContext = Pick<
  WreckitContext<object, readonly unknown[]>,
  'calledAs' | 'cwd' | 'globals' | 'io' | 'json' | 'signal' | 'warn'
>;

/** The configuration in force. Throws `CONFIG_INVALID`. */
export async function configOf(context: AnyContext, flags: readonly FlagValue[] = []): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config.ts');
  const { cwd, globals, io } = context;
  return await loadConfig({ cwd, env: io.env, configFile: globals.config, flags });
}

export interface RunnerListeners {
  readonly onWarning: (text: string) => void;
  /** What wisp says on stderr. */
  readonly onTalk?: (text: string) => void;
}

/**
 * Sprites through the wisp program of the configuration; each call is limited to the configured timeout. A
 * relative `wispPath` is the project's, relative paths in flags are those of the working directory.
 */
export async function spriteRunnerOf(
  context: AnyContext,
  loaded: LoadedConfig,
  listeners: RunnerListeners = { onWarning: (text) => void context.warn(text) },
): Promise<SpriteRunner> {
  const { SpriteRunner } = await import('../agent/sprite-runner.ts');
  return new SpriteRunner({
    wispPath: loaded.sprite.wispPath,
    env: { ...context.io.env, WISP_CALLED_AS: context.calledAs ?? 'wreckit sprite' },
    wispPathBase: loaded.projectRoot,
    cwd: context.cwd,
    engine: context.globals.engine ?? loaded.config.engine,
    token: loaded.spritesToken?.value,
    timeoutMs: loaded.sprite.timeout * 1000,
    ...listeners,
  });
}
