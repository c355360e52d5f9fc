/** Takes the terminal as `attach` does, changes its modes, and then fails in a way nobody waits for. */
import { main } from '../../cli/main.ts';
import type { VerbModule } from '../../cli/verb.ts';
import { LocalTerminal } from '../../wisp/terminal/local-terminal.ts';

const verb: VerbModule = {
  define: () => undefined,
  examples: [['fault now', 'fails']],
  async run({ io }) {
    const terminal = new LocalTerminal(io);
    terminal.take();
    await terminal.write(Buffer.from('\x1b[?1049h\x1b[?1000hTAKEN'));
    setTimeout(() => {
      throw new Error('stray fault');
    }, 50);
    return await new Promise(() => undefined);
  },
};

void main({
  name: 'fault',
  summary: 'A program that fails while it has the terminal.',
  version: () => '0.0.0',
  verbs: [{ name: 'now', summary: 'fail', load: async () => verb }],
  globalOptions: [],
});
