import { byteOffset } from '../../cli/flag-values.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import type { OutputRequest, OutputStream, SessionHandle } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { outputStream, sizeBytes } from '../flags.ts';
import type { WispContext, WispVerb } from '../globals.ts';
import { wakeIfFrozen } from '../wake-if-frozen.ts';

type Options = {
  readonly from?: number;
  readonly follow?: boolean;
  readonly stream?: OutputStream;
  readonly maxOutput?: number;
};

type Args = [name: string, sessionId: string];

export const verb: WispVerb<Options, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<session>', 'Session id', assertSessionId)
      .option('--from <offset>', 'Start at this byte of one stream; negative: from its end', byteOffset)
      .option('--follow', 'Follow until the session ends')
      .option('--stream <name>', 'Only stdout or stderr; default: both, or stdout with --from', outputStream)
      .option('--max-output <size>', 'With --json: bytes kept of each stream; default: 1MiB', sizeBytes),
  examples: [
    ['wisp logs demo s1', 'Everything kept: stdout to stdout, stderr to stderr'],
    ['wisp logs demo s1 --follow --from -4096', 'The last bytes, then new output as it comes'],
    ['wisp logs demo s1 --follow --json', 'One JSON line per piece of output, then one for its end'],
  ],
  async run(context) {
    const { options, args, json, signal } = context;
    if (options.maxOutput !== undefined && (!json || options.follow === true)) {
      throw new WreckitError(
        'USAGE',
        'logs: --max-output is about the one JSON document, it needs --json and no --follow',
      );
    }
    const engine = await createEngine(context);
    // What a command that stands still has printed can be read; who waits for more wants it to go on.
    if (options.follow === true) await wakeIfFrozen(engine, args[0], { signal });
    await using handle = await engine.session(args[0], args[1], { signal });
    const request = requestOf(options, signal);
    if (!json) return await writeRaw(context, handle, request);
    if (options.follow !== true) {
      const { logDocument } = await import('../logs/log-document.ts');
      return { data: await logDocument(handle, request, options.maxOutput) };
    }
    const { writeLogLines } = await import('../logs/log-lines.ts');
    return await writeLogLines(context.io, handle, request);
  },
};

function requestOf(
  { from, stream, follow }: Options,
  signal: AbortSignal,
): OutputRequest & { readonly signal: AbortSignal } {
  const only = stream ?? (from === undefined ? undefined : 'stdout');
  return {
    signal,
    follow: follow === true,
    ...(only === undefined ? {} : { streams: [only] }),
    ...(only === 'stderr' ? { stderrFrom: from } : { stdoutFrom: from }),
  };
}

async function writeRaw(
  { io, warn }: WispContext<Options, Args>,
  handle: SessionHandle,
  request: OutputRequest,
): Promise<VerbResult> {
  for await (const { stream, bytes, droppedBytes } of handle.output(request)) {
    if (droppedBytes > 0) await warn(`${droppedBytes} older bytes of ${stream} are no longer kept`);
    // The stream asked for is the answer; of both, each goes where the command wrote it.
    const port = request.streams === undefined ? io[stream] : io.stdout;
    if (!(await port.write(bytes))) break;
  }
  return {};
}
