/** How fast the programs are, against a reference measured in the same run. Ends with 1 where a target is missed. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packageRoot, packageVersion } from '../src/package-root.ts';
import { markdown, type Row, textTable } from './report.ts';
import { agentRows } from './rows/agent.ts';
import { manyRows } from './rows/many.ts';
import { runRows } from './rows/run.ts';
import { serveRows } from './rows/serve.ts';
import { serviceRows } from './rows/services.ts';
import { sleepRows } from './rows/sleep.ts';
import { startUpRows } from './rows/start-up.ts';
import { streamRows } from './rows/stream.ts';
import { syncRows } from './rows/sync.ts';
import { World } from './world.ts';

const GROUPS: Readonly<Record<string, (world: World) => Row[] | Promise<Row[]>>> = {
  'start-up': startUpRows,
  run: runRows,
  stream: streamRows,
  many: manyRows,
  serve: serveRows,
  sleep: sleepRows,
  services: serviceRows,
  sync: syncRows,
  agent: agentRows,
};

const USAGE = `npm run bench [-- GROUP …]   the groups: ${Object.keys(GROUPS).join(' ')}
npm run bench -- --write  all of them, kept in docs/benchmarks.md`;

async function measure(names: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of names) {
    const group = GROUPS[name];
    if (!group) throw new Error(`bench: "${name}" is none of the groups: ${Object.keys(GROUPS).join(', ')}`);
    process.stderr.write(`bench: ${name}\n`);
    const world = new World();
    const stop = (): void => {
      world.close();
      process.exit(130);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    try {
      rows.push(...(await group(world)));
      // A signal that came during a synchronous call is heard now.
      await turn();
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      world.close();
    }
  }
  return rows;
}

function versions(): string[] {
  const first = (program: string): string => {
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    return stdout?.split('\n')[0]?.trim() ?? '';
  };
  const bun = first(join(packageRoot(), 'node_modules', '.bin', 'bun'));
  return [
    `wreckit ${packageVersion()}`,
    `Bun ${bun}`,
    `Node ${process.versions.node}`,
    first('runc').replace('version ', ''),
  ];
}

async function bench(groups: readonly string[], isWriting: boolean): Promise<void> {
  const rows = await measure(groups.length > 0 ? groups : Object.keys(GROUPS));
  process.stdout.write(`${textTable(rows)}\n`);
  if (isWriting) writeFileSync(join(packageRoot(), 'docs', 'benchmarks.md'), markdown(rows, versions()));
  const missed = rows.filter(({ isMet }) => !isMet).length;
  process.stdout.write(`\n${rows.length - missed} of ${rows.length} targets met\n`);
  process.exitCode = missed > 0 ? 1 : 0;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(`${USAGE}\n`);
else if (values.write && positionals.length > 0) throw new Error(`bench: --write keeps all groups\n${USAGE}`);
else await bench(positionals, values.write);
