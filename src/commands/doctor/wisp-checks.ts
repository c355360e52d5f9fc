/** The program that makes sprites: found, speaking the contract, and what it says of this machine. */
import type { SpriteRunner } from '../../agent/sprite-runner.ts';
import type { LoadedConfig } from '../../config.ts';
import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import { fail, type Outcome, ok, warn } from './check.ts';

/** The handshake's check, and below it those of `wisp doctor`; without a handshake only that. */
export async function wispChecks(runner: SpriteRunner, signal: AbortSignal): Promise<Check[]> {
  try {
    if (runner.dialect === 'fly') return await flyChecks(runner, signal);
    const { engine, version, protocol, isolation } = await runner.version({ signal });
    const message = `${engine} ${version}, protocol ${protocol}, isolation ${isolation.join(', ') || 'unknown'}`;
    return [{ name: 'wisp', ...ok(message) }, ...(await machineChecks(runner, signal))];
  } catch (error) {
    const { message, hint } = toWreckitError(error);
    return [{ name: 'wisp', ...fail(message, hint) }];
  }
}

/** Fly's command says neither its version nor what it isolates with; what it can be asked is the list. */
async function flyChecks(runner: SpriteRunner, signal: AbortSignal): Promise<Check[]> {
  const wisp: Check[] = [
    { name: 'wisp', ...ok("Fly's sprite command: it can start, list, exec, attach and kill, and no more") },
    {
      name: 'runs',
      ...warn(
        'wreckit run and wreckit sync need files pushed and pulled, which this dialect cannot do',
        'remove agent.wispPath to use the bundled wisp',
      ),
    },
  ];
  try {
    const { length } = await runner.list({}, { signal });
    return [
      ...wisp,
      { name: 'engine', ...ok(`the cloud answers: ${length} sprite${length === 1 ? '' : 's'}`) },
    ];
  } catch (error) {
    const { message, hint } = toWreckitError(error);
    return [...wisp, { name: 'engine', ...fail(message, hint) }];
  }
}

async function machineChecks(runner: SpriteRunner, signal: AbortSignal): Promise<Check[]> {
  try {
    return await runner.doctor({ signal });
  } catch (error) {
    const { code, message, hint } = toWreckitError(error);
    if (code === 'UNSUPPORTED')
      return [{ name: 'engine', ...ok('this wisp does not check its machine itself') }];
    return [{ name: 'engine', ...fail(message, hint) }];
  }
}

export function checkToken(
  { spritesToken, labelOf }: LoadedConfig,
  engine: string | undefined,
  { dialect = 'wisp', isBundled = false }: Partial<Pick<SpriteRunner, 'dialect' | 'isBundled'>> = {},
): Outcome {
  if (spritesToken !== null) return ok(`a sprites token is set (${labelOf(spritesToken.origin)})`);
  if (dialect === 'fly') return ok("no sprites token: Fly's sprite command uses its own login");
  if (engine === undefined || engine === 'local')
    return ok('no sprites token, and the local engine needs none');
  // Whether there is a login wisp alone knows: its own check of the server says it.
  if (engine === 'cloud' && isBundled) return ok('none set here; wisp uses its login (wreckit sprite login)');
  return warn(
    `no sprites token for engine "${engine}"`,
    'export SPRITES_TOKEN=…, or put it into agent.token of .wreckit/config.local.json',
  );
}
