/** `egress-proxy` and `egress-relay`: started by the engine for a filtered sprite, not by people. */
import { positiveInteger } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly init: number;
};

export function egressVerb(part: 'proxy' | 'relay'): WispVerb<Options> {
  return {
    define: (command) =>
      command.requiredOption('--init <pid>', "the sprite's first process", positiveInteger),
    examples: [[`wisp egress-${part} --init 1234`, 'serves until that process ends']],
    async run({ options, signal, io }) {
      const { runProxy, runRelay } = await import('../../engine/local/egress/egress-main.ts');
      const onReady = () => void io.stdout.write('ready\n');
      await (part === 'proxy' ? runProxy : runRelay)({ initPid: options.init, signal, onReady });
      return {};
    },
  };
}
