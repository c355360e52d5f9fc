import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName, quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { WreckitVerb } from '../../globals.ts';
import { passOn } from './pass-on.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, service: string, signalName: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .argument('<signal>', 'Signal, such as HUP or SIGUSR1', signalWord),
  examples: [['wreckit sprite service signal demo web HUP', 'Many programs reload their settings on HUP']],
  async run(context) {
    const [name, service, signalName] = context.args;
    return await passOn(context, serviceCommand('signal', name, [service, signalName]));
  },
};

function signalWord(text: string): string {
  if (/^[A-Za-z0-9+]{1,16}$/.test(text)) return text;
  throw new WreckitError('USAGE', `signal: ${quote(text)} is not a signal such as "TERM" or "SIGINT"`);
}
