import { portChanges } from '../../api/port-changes.ts';
import { portTable } from '../../cli/sprite-text.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { ListeningPort, PortOps } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { EventLines } from '../event-lines.ts';
import type { WispContext, WispVerb } from '../globals.ts';

type Options = {
  readonly watch?: boolean;
};

type Context = WispContext<Options, [name: string]>;

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--watch', 'Keep watching for changes'),
  examples: [
    ['wisp ports demo', 'TCP ports that programs in "demo" listen on; does not wake it'],
    ['wisp ports demo --watch --json', 'One JSON line with the current ports, then one per change'],
  ],
  async run(context) {
    const { args, options, signal } = context;
    const { ports } = await createEngine(context);
    if (ports === undefined) throw new WreckitError('UNSUPPORTED', 'ports: this engine does not tell them');
    if (options.watch === true) return await watch(context, ports);
    const listening = await ports.list(args[0], { signal });
    return {
      data: { ports: listening },
      text: (format) => portTable(listening, format) || `nothing listens in ${args[0]}`,
    };
  },
};

async function watch(context: Context, ports: PortOps): Promise<VerbResult> {
  const { args, io, json, signal } = context;
  const lines = new EventLines(io);
  const stop = AbortSignal.any([signal, io.stdout.closed]);
  const tell = (type: string, fields: object, text: string): Promise<boolean> =>
    json ? lines.write(type, fields) : io.stdout.write(`${text}\n`);
  let before: readonly ListeningPort[] | null = null;
  try {
    for await (const now of ports.watch(args[0], { signal: stop })) {
      if (before === null && json) await lines.write('port_list', { ports: now });
      const changes = portChanges(before ?? [], now);
      for (const { type, ...port } of before === null && json ? [] : changes) {
        await tell(type, port, `${type === 'port_opened' ? 'opened' : 'closed'} ${portText(port)}`);
      }
      before = now;
    }
    return {};
  } catch (thrown) {
    return await lines.fail('ports', thrown, signal);
  }
}

function portText({ port, address, pid }: ListeningPort): string {
  return `${port} on ${address}${pid === 0 ? '' : ` (process ${pid})`}`;
}
