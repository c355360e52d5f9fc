/**
 * `npm run bench [-- --write] [-- start-up|run|stream|many|serve|sleep|sync|agent …]`: how fast the programs are, against a reference measured in
 * the same run. `--write` keeps the table in docs/benchmarks.md. Ends with 1 where a target is missed.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

async function measure(names: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of names) {
    const group = GROUPS[name];
    if (!group) throw new Error(`bench: "${name}" is none of ${Object.keys(GROUPS).join(', ')}`);
    process.stderr.write(`bench: ${name}\n`);
    const world = new World();
    const stop = (): void => {
      world.close();
      process.exit(130);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    try {
      rows.push(...(await group(world)));
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

const args = process.argv.slice(2);
const isWriting = args.includes('--write');
const only = args.filter((arg) => !arg.startsWith('--'));
const rows = await measure(only.length > 0 ? only : Object.keys(GROUPS));
process.stdout.write(`${textTable(rows)}\n`);
if (isWriting) writeFileSync(join(packageRoot(), 'docs', 'benchmarks.md'), markdown(rows, versions()));
const missed = rows.filter(({ isMet }) => !isMet).length;
process.stdout.write(`\n${rows.length - missed} of ${rows.length} targets met\n`);
process.exitCode = missed > 0 ? 1 : 0;
