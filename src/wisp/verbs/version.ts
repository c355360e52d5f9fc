import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp version --json', 'the handshake: engine, protocol, capabilities']],
  async run(context) {
    const data = await (await createEngine(context)).version({ signal: context.signal });
    const lines = [
      `${data.engine} ${data.version}, protocol ${data.protocol}`,
      `isolation: ${data.isolation.join(', ') || 'none'}`,
      `can: ${data.capabilities.join(', ')}`,
    ];
    return { data, text: lines.join('\n') };
  },
};
