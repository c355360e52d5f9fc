import { runProgram } from '../../cli/program.ts';
import { globalOptions } from '../../wisp/globals.ts';
import { verbs } from '../../wisp/verb-table.ts';
import { type MemoryIoOptions, memoryIo } from '../helpers/memory-io.ts';

export interface WispAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line of wisp in this process: streams in memory, no terminal. */
export async function runWisp(argv: readonly string[], options: MemoryIoOptions = {}): Promise<WispAnswer> {
  const io = memoryIo(options);
  const program = { name: 'wisp', summary: 'test', version: () => '0.0.0', verbs, globalOptions };
  const exitCode = await runProgram({ ...program, argv, io });
  return { exitCode, stdout: io.stdout.text(), stderr: io.stderr.text() };
}
