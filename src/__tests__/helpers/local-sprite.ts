/** A real sprite of the local engine for one test: `await using sprite = await localSprite();`. */
import type { SessionSpec, StartSpec } from '../../engine/engine.ts';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { tempDir } from './temp-dir.ts';

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LocalSprite extends AsyncDisposable {
  readonly engine: LocalEngine;
  readonly name: string;
  /** The engine's state directory. */
  readonly home: string;
  /** Runs a command (a text: through sh) to its end. */
  exec(command: string | readonly string[], spec?: Partial<SessionSpec>): Promise<Outcome>;
}

/** An engine with a state directory of its own; its sprites are killed at the end. */
export function localEngine(): { engine: LocalEngine; home: string } & AsyncDisposable {
  const dir = tempDir();
  const home = dir.join('wisp');
  const engine = new LocalEngine({ env: { ...process.env, WISP_HOME: home } });
  return {
    engine,
    home,
    [Symbol.asyncDispose]: async () => {
      for (const { name } of await engine.list()) await engine.kill(name);
      dir[Symbol.dispose]();
    },
  };
}

export async function localSprite(spec: Partial<StartSpec> = {}): Promise<LocalSprite> {
  const local = localEngine();
  const { engine, home } = local;
  const name = spec.name ?? 'demo';
  try {
    await engine.start({ name, ...spec });
  } catch (error) {
    await local[Symbol.asyncDispose]();
    throw error;
  }
  return {
    engine,
    name,
    home,
    exec: (command, sessionSpec) => execIn(engine, name, command, sessionSpec),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}

export async function execIn(
  engine: LocalEngine,
  name: string,
  command: string | readonly string[],
  spec: Partial<SessionSpec> = {},
): Promise<Outcome> {
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  await using session = await engine.openSession(name, { command: argv, ...spec });
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of session.output({ follow: true }))
    chunks[stream].push(Buffer.from(bytes));
  const { exitCode } = await session.exit();
  return {
    exitCode,
    stdout: Buffer.concat(chunks.stdout).toString(),
    stderr: Buffer.concat(chunks.stderr).toString(),
  };
}
