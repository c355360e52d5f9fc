import type { SpriteRunner } from '../../agent/sprite-runner.ts';
import type { LoadedConfig } from '../../config.ts';
import { isObject, textOr, textsOf } from '../../contract/json-value.ts';
import { normaliseChecks } from '../../contract/normalise.ts';
import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import type { AnyContext } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from '../sprite/sprite-tools.ts';

const ENGINE = { words: ['engine'], args: [] };

interface Explanation {
  readonly engine: string;
  /** `--engine`, `.wreckit/config.json:3`, `WRECKIT_ENGINE`, `WISP_ENGINE`, `default`. */
  readonly origin: string;
  readonly why: string;
  readonly wisp: string;
  readonly isolation: string;
  readonly cost: string;
  readonly api_url: string | null;
  readonly token_origin: string | null;
  readonly lacks: readonly string[];
  readonly needs: readonly Check[];
}

export const verb: WreckitVerb = {
  define: () => undefined,
  examples: [
    ['wreckit engine explain', 'What "wreckit run" and "wreckit sprite" use here, and why'],
    ['wreckit engine explain --engine cloud', 'What the cloud offers, costs and needs'],
    ['wreckit engine explain --json', 'For scripts; changes and starts nothing'],
  ],
  async run(context) {
    return await withSprites(context, async ({ runner, loaded }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [ENGINE]);
      const data = await explain(context, runner, loaded);
      return { data, text: textOfExplanation(data) };
    });
  },
};

async function explain(
  context: AnyContext,
  runner: SpriteRunner,
  loaded: LoadedConfig,
): Promise<Explanation> {
  const told = await ask(runner, context.signal);
  const engine = textOr(told.engine, 'unknown');
  const origin = originOf(context, loaded, textOr(told.origin, 'default'));
  const { spritesToken, labelOf } = loaded;
  const tokenOrigin = textOr(told.token_origin, null);
  const isHandedOver = tokenOrigin === 'SPRITES_TOKEN' || tokenOrigin === 'SPRITE_TOKEN';
  return {
    engine,
    origin,
    why: whyOf(origin),
    wisp: runner.isBundled ? 'bundled' : (loaded.sprite.wispPath ?? 'bundled'),
    isolation: textOr(told.isolation, 'the wisp program does not say'),
    cost: textOr(told.cost, 'the wisp program does not say'),
    api_url: textOr(told.api_url, null),
    token_origin: isHandedOver && spritesToken !== null ? labelOf(spritesToken.origin) : tokenOrigin,
    lacks: textsOf(told.lacks),
    needs: isObject(told) && Array.isArray(told.needs) ? normaliseChecks({ checks: told.needs }) : [],
  };
}

/** A wisp that has no such verb is asked for what every wisp can say. */
async function ask(runner: SpriteRunner, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answer = await runner.ask(ENGINE, { signal });
    return isObject(answer) ? answer : {};
  } catch (thrown) {
    const { code } = toWreckitError(thrown);
    if (runner.isBundled || !['USAGE', 'UNSUPPORTED', 'WISP_PROTOCOL'].includes(code)) throw thrown;
  }
  const version = await runner.version({ signal });
  const needs = await runner.doctor({ signal }).catch(() => []);
  return { engine: version.engine, isolation: version.isolation.join(', ') || undefined, needs };
}

function originOf(
  { globals }: AnyContext,
  { config, originOf: lookUp, labelOf }: LoadedConfig,
  told: string,
): string {
  if (globals.engine !== undefined) return '--engine';
  // wisp is told with its flag what the configuration says.
  return config.engine === undefined ? told : labelOf(lookUp(['engine']));
}

function whyOf(origin: string): string {
  if (origin !== 'default') return `${origin} says so`;
  return 'the default; a token or a login alone never selects another engine';
}

function textOfExplanation(explanation: Explanation): string {
  const { engine, why, isolation, cost, api_url: url, token_origin: token, lacks, needs } = explanation;
  const lines = [
    ['engine', `${engine}: ${why}`],
    ['wisp', explanation.wisp],
    ['isolation', isolation],
    ['cost', cost],
    ...(url === null
      ? []
      : [
          ['server', url],
          ['token', token ?? 'none'],
        ]),
    ...(lacks.length === 0 ? [] : [['lacks', lacks.join(', ')]]),
    ...needs.map((check) => ['needs', checkLine(check)]),
  ];
  return lines.map(([name = '', value]) => `${name.padEnd(10)} ${value}`).join('\n');
}

function checkLine({ name, status, message, fix }: Check): string {
  const line = `${status === 'fail' ? 'FAIL' : status} ${name}: ${message}`;
  return fix === null || status === 'ok' ? line : `${line}\n           fix: ${fix}`;
}
