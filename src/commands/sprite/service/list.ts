import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { passOn } from './pass-on.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [
    ['wreckit sprite service list demo', 'Services, their status and their commands'],
    ['wreckit sprite service list demo --json', 'The same, for scripts'],
  ],
  run: async (context) => await passOn(context, serviceCommand('list', context.args[0], [])),
};
