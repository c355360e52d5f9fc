/** The one place where the program gets its engine. Loaded when a verb asks for it, not before. */
import type { Io } from '../cli/io.ts';
import type { SpriteEngine } from '../engine/engine.ts';
import { chosenEngine } from './engine-choice.ts';
import type { WispGlobals } from './globals.ts';

/** Throws `CONFIG_INVALID`, `AUTH_MISSING`, `POLICY_DENIED`, `ENGINE_UNAVAILABLE`. */
export async function createEngine({
  io,
  globals,
  warn,
}: {
  readonly io: Io;
  readonly globals: WispGlobals;
  readonly warn?: ((text: string) => Promise<void>) | undefined;
}): Promise<SpriteEngine> {
  if (chosenEngine(io.env, globals).name === 'cloud') return await cloudEngine(io, warn);
  const { LocalEngine } = await import('../engine/local/local-engine.ts');
  return new LocalEngine({ env: io.env });
}

async function cloudEngine(io: Io, warn?: (text: string) => Promise<void>): Promise<SpriteEngine> {
  const { cloudAccess } = await import('./cloud/access.ts');
  const { target, credential } = await cloudAccess(io.env);
  const [{ CloudEngine }, { resolveStateDirs }] = await Promise.all([
    import('../engine/cloud/cloud-engine.ts'),
    import('../engine/local/state-dirs.ts'),
  ]);
  return new CloudEngine({
    target,
    token: credential?.token ?? null,
    stateDir: resolveStateDirs(io.env).home,
    onNotice: (text) => void warn?.(text),
  });
}
