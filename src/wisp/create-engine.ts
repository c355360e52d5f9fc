/** The one place where the program gets its engine. Loaded when a verb asks for it, not before. */
import type { Io } from '../cli/io.ts';
import type { SpriteEngine } from '../engine/engine.ts';
import { WreckitError } from '../errors.ts';
import type { WispGlobals } from './globals.ts';

/** Throws `UNSUPPORTED`, `ENGINE_UNAVAILABLE`. */
export async function createEngine({
  io,
  globals,
}: {
  readonly io: Io;
  readonly globals: WispGlobals;
}): Promise<SpriteEngine> {
  if (globals.engine === 'cloud') {
    throw new WreckitError('UNSUPPORTED', 'engine: this wisp has no cloud engine', {
      hint: 'leave out --engine cloud to use the sprites of this machine',
    });
  }
  const { LocalEngine } = await import('../engine/local/local-engine.ts');
  return new LocalEngine({ env: io.env });
}
