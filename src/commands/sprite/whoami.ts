import type { LoadedConfig } from '../../config.ts';
import { isObject, numberOr, textOr } from '../../contract/json-value.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const WHOAMI = { words: ['whoami'], args: [] };

export const verb: WreckitVerb = {
  define: () => undefined,
  examples: [
    ['wreckit sprite whoami', 'The server, the organization, and where the token comes from'],
    ['wreckit sprite whoami --json', 'For scripts; exit code 4 when the token is refused'],
  ],
  async run(context) {
    return await withSprites(context, async ({ runner, loaded }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [WHOAMI]);
      const answer = await runner.ask(WHOAMI, { signal: context.signal });
      const told = isObject(answer) ? answer : {};
      const data = { ...told, token_origin: originOf(textOr(told.token_origin, null), loaded) };
      return { data, text: textOfAccount(data) };
    });
  },
};

/** wisp gets the token of the configuration as a variable; here it is known where it was written. */
function originOf(told: string | null, { spritesToken, labelOf }: LoadedConfig): string | null {
  const isHandedOver = told === 'SPRITES_TOKEN' || told === 'SPRITE_TOKEN';
  return isHandedOver && spritesToken !== null ? labelOf(spritesToken.origin) : told;
}

function textOfAccount(data: Readonly<Record<string, unknown>>): string {
  const sprites = isObject(data.sprites) ? data.sprites : {};
  const running = numberOr(sprites.running, null);
  const counts =
    running === null
      ? []
      : [
          `sprites       ${running} running, ${numberOr(sprites.warm, 0)} warm, ${numberOr(sprites.cold, 0)} cold`,
        ];
  return [
    `server        ${textOr(data.api_url, 'unknown')}`,
    `organization  ${textOr(data.organization, 'the server does not say')}`,
    `token         ${textOr(data.token_origin, 'none is needed: a unix socket')}`,
    ...counts,
  ].join('\n');
}
