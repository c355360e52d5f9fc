import { byteOffset } from '../../../cli/flag-values.ts';
import type { VerbResult } from '../../../cli/verb.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { ServiceOps, ServiceOutputRequest } from '../../../engine/engine.ts';
import { WreckitError } from '../../../errors.ts';
import { createEngine } from '../../create-engine.ts';
import { outputStream, positiveInteger } from '../../flags.ts';
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
At least the newest 10 MiB of each stream are kept, across restarts. Offsets count from
the first byte ever printed. In the sprite: /.sprite/logs/services/SERVICE/stdout.log,
and what came before it in stdout.OFFSET.log`;

export const verb: WispVerb<Options, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--lines <n>', 'Last lines of each stream; default: all that is kept', positiveInteger)
      .option('--from <offset>', 'Start at this byte of one stream; negative: from its end', byteOffset)
      .option('--follow', 'Follow, across restarts, until interrupted')
      .option('--stream <name>', 'Only stdout or stderr; default: both, or stdout with --from', outputStream)
      .addHelpText('after', NOTES),
  examples: [
    ['wisp service logs demo web', 'Everything kept: stdout to stdout, stderr to stderr'],
    ['wisp service logs demo web --lines 20 --follow', 'The last lines, then new output as it comes'],
    [
      'wisp service logs demo web --follow --json',
      'A JSON line for every line printed, start, crash and end',
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
