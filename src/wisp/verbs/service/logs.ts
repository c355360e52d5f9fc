import type { VerbResult } from '../../../cli/verb.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { ServiceOps, ServiceOutputRequest } from '../../../engine/engine.ts';
import { WreckitError } from '../../../errors.ts';
import { createEngine } from '../../create-engine.ts';
import { byteOffset, outputStream, positiveInteger } from '../../flags.ts';
import type { WispContext, WispVerb } from '../../globals.ts';
import { servicesOf } from './services.ts';

type Options = {
  readonly lines?: number;
  readonly from?: number;
  readonly follow?: boolean;
  readonly stream?: 'stdout' | 'stderr';
};

type Args = [name: string, service: string];
type Context = WispContext<Options, Args>;

const NOTES = `
The newest 12 MiB or more of each stream are kept, through restarts. Offsets count all
that was ever printed. In the sprite: /.sprite/logs/services/SERVICE/stdout.log`;

export const verb: WispVerb<Options, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName)
      .option('--lines <n>', 'the last lines of each stream; all that was kept when absent', positiveInteger)
      .option('--from <offset>', 'first byte of the one stream wanted; negative: from its end', byteOffset)
      .option('--follow', 'go on with what comes, through restarts, until interrupted')
      .option('--stream <name>', 'stdout or stderr alone; both when absent, stdout with --from', outputStream)
      .addHelpText('after', NOTES),
  examples: [
    ['wisp service logs demo web', 'all that was kept: its stdout to stdout, its stderr to stderr'],
    ['wisp service logs demo web --lines 20 --follow', 'the last lines, and what comes'],
    [
      'wisp service logs demo web --follow --json',
      'a JSON line per line printed, and per start, crash and end',
    ],
  ],
  async run(context) {
    const { options, args, json } = context;
    if (options.lines !== undefined && options.from !== undefined) {
      throw new WreckitError('USAGE', 'service logs: --lines and --from both say where to begin', {
        hint: 'leave one of them out',
      });
    }
    const services = servicesOf(await createEngine(context));
    // Whether there is such a service is known before the first byte.
    await services.get(args[0], args[1], { signal: context.signal });
    if (!json) return await writeRaw(context, services);
    const { serviceLogDocument, writeServiceEvents } = await import('../../logs/service-log-json.ts');
    if (options.follow === true) return await writeServiceEvents(context, services);
    return { data: await serviceLogDocument(services, args, requestOf(context)) };
  },
};

function requestOf({ options, signal }: Context): ServiceOutputRequest {
  const { lines, from, follow = false, stream } = options;
  const only = stream ?? (from === undefined ? undefined : 'stdout');
  return {
    signal,
    follow,
    lines,
    ...(only === undefined ? {} : { streams: [only] }),
    ...(only === 'stderr' ? { stderrFrom: from } : { stdoutFrom: from }),
  };
}

async function writeRaw(context: Context, services: ServiceOps): Promise<VerbResult> {
  const { io, warn, args } = context;
  const request = requestOf(context);
  for await (const { stream, bytes, droppedBytes } of services.output(args[0], args[1], request)) {
    if (droppedBytes > 0) await warn(`${droppedBytes} older bytes of ${stream} are no longer kept`);
    // The stream asked for is the answer; of both, each goes where the command wrote it.
    const port = request.streams === undefined ? io[stream] : io.stdout;
    if (!(await port.write(bytes))) break;
  }
  return {};
}
