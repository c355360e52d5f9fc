import { Readable } from 'node:stream';
import type { Io, OutputPort } from '../../cli/io.ts';

export interface MemoryPort extends OutputPort {
  text(): string;
  /** The reader goes away: further writes answer false. */
  close(): void;
}

export interface MemoryIo extends Io {
  readonly stdout: MemoryPort;
  readonly stderr: MemoryPort;
}

export interface MemoryIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Makes stdout and stderr a terminal of this width. */
  readonly columns?: number;
  readonly stdin?: string;
}

/** Streams in memory: what a verb of a program writes, without a process. */
export function memoryIo(options: MemoryIoOptions = {}): MemoryIo {
  return {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: memoryPort(options.columns),
    stderr: memoryPort(options.columns),
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    isStdinTty: false,
  };
}

function memoryPort(columns: number | undefined): MemoryPort {
  const controller = new AbortController();
  const chunks: Buffer[] = [];
  return {
    isTty: columns !== undefined,
    columns: columns ?? null,
    closed: controller.signal,
    async write(chunk) {
      if (controller.signal.aborted) return false;
      chunks.push(Buffer.from(chunk));
      return true;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
    close: () => controller.abort(),
  };
}
