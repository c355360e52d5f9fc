/** Started by the engine in a sprite's network, not by people. */
import { WreckitError } from '../../errors.ts';
import { positiveInteger } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly init: number;
  readonly socket: string;
};

export const verb: WispVerb<Options> = {
  define: (command) =>
    command
      .requiredOption('--init <pid>', "the sprite's first process", positiveInteger)
      .requiredOption('--socket <name>', 'where to be asked, in the working directory', socketName),
  examples: [
    ['wisp port-dialer --init 1234 --socket dial.sock', 'Serve until that process or its stdin ends'],
  ],
  async run({ options, signal, io }) {
    const { runDialer } = await import('../../engine/local/ports/dialer-main.ts');
    const onReady = () => void io.stdout.write('ready\n');
    await runDialer({ initPid: options.init, socketName: options.socket, signal, onReady });
    return {};
  },
};

function socketName(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text)) return text;
  throw new WreckitError('USAGE', 'it is not a plain file name');
}
