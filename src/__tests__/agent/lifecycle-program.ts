/**
 * A program as wreckit is one: runs an agent with everything registered, prints the agent's first line and
 * ends as its shutdown says. `lifecycle-program.ts MODE AGENT…`; MODE: wait, throw or exit once the agent runs.
 */
import { Lifecycle, shutdownExitCode } from '../../agent/lifecycle.ts';
import { runAgentUnion } from '../../agent/runner.ts';
import { watchProcess } from '../../agent/watch-process.ts';

async function main(): Promise<void> {
  const [mode, command = '', ...args] = process.argv.slice(2);
  const lifecycle = new Lifecycle();
  using _watch = watchProcess(lifecycle, {
    onShutdown: (reason) => {
      process.stdout.write('ending\n');
      void lifecycle.shutdown(reason).then(({ forced, failures }) => {
        process.stdout.write(`${JSON.stringify({ forced, failures: failures.length })}\n`);
        process.exit(shutdownExitCode(reason));
      });
    },
  });
  lifecycle.add({
    name: 'work to collect',
    phase: 'work',
    stop: async () => void process.stdout.write('collected\n'),
  });
  const result = await runAgentUnion({
    config: { kind: 'process', command, args },
    cwd: process.cwd(),
    prompt: 'work',
    lifecycle,
    onStdoutChunk: (text) => {
      process.stdout.write(text);
      if (mode === 'throw')
        setTimeout(() => {
          throw new Error('uncaught');
        }, 10);
      if (mode === 'exit') setTimeout(() => process.exit(7), 10);
    },
  });
  process.stdout.write(`${result.outcome}\n`);
}

void main();
