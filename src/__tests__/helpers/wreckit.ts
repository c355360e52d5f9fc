import { runProgram } from '../../cli/program.ts';
import { globalOptions } from '../../commands/globals.ts';
import { verbs } from '../../commands/index.ts';
import { type MemoryIoOptions, memoryIo } from './memory-io.ts';

export interface WreckitResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line of `wreckit`, in this process, with streams and an environment of its own. */
export async function wreckit(
  argv: readonly string[],
  options: MemoryIoOptions & { readonly signal?: AbortSignal } = {},
): Promise<WreckitResult> {
  const io = memoryIo(options);
  const program = { name: 'wreckit', summary: '', version: () => '0.0.0', verbs, globalOptions };
  const exitCode = await runProgram({ ...program, argv, io, signal: options.signal });
  return { exitCode, stdout: io.stdout.text(), stderr: io.stderr.text() };
}

/** The same under `--json`: the one document of stdout. */
export async function wreckitJson(
  argv: readonly string[],
  options?: Parameters<typeof wreckit>[1],
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the document as it likes
): Promise<{ exitCode: number; stderr: string; document: any }> {
  const { exitCode, stdout, stderr } = await wreckit(['--json', ...argv], options);
  return { exitCode, stderr, document: JSON.parse(stdout) };
}
