/**
 * Which engine a command uses: the flag, else WISP_ENGINE, else the local one. Nothing else is looked at: that
 * a token, a login or a tool is there has never been anybody's wish to spend money elsewhere.
 */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import type { EngineName, WispGlobals } from './globals.ts';

export interface EngineChoice {
  readonly name: EngineName;
  /** `--engine`, `WISP_ENGINE`, `default`. */
  readonly origin: string;
}

/** Throws `CONFIG_INVALID`. */
export function chosenEngine(
  env: Readonly<Record<string, string | undefined>>,
  { engine }: WispGlobals,
): EngineChoice {
  if (engine !== undefined) return { name: engine, origin: '--engine' };
  const text = env.WISP_ENGINE;
  if (text === undefined || text === '') return { name: 'local', origin: 'default' };
  if (text === 'local' || text === 'cloud') return { name: text, origin: 'WISP_ENGINE' };
  throw new WreckitError('CONFIG_INVALID', `WISP_ENGINE: ${quote(text)} is neither "local" nor "cloud"`, {
    hint: 'unset WISP_ENGINE to use the sprites of this machine',
  });
}
