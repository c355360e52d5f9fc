/** What a child gets for its standard streams: those of this process, or the ones that stand in for them. */
import type { Io, OutputPort } from '../../cli/io.ts';
import type { OutputSink, StdinSource } from '../../process/run.ts';

export function childStdin({ isInjected = false, stdin }: Io): StdinSource {
  return isInjected ? stdin : 'inherit';
}

export function childStdout({ isInjected = false, stdout }: Io): OutputSink {
  return isInjected ? sinkOf(stdout) : 'inherit';
}

export function childStderr({ isInjected = false, stderr }: Io): OutputSink {
  return isInjected ? sinkOf(stderr) : 'inherit';
}

function sinkOf(port: OutputPort): OutputSink {
  return async (chunk) => void (await port.write(chunk));
}
