/** Project in, changes out: what src/sync itself costs, on a plain directory with real `tar`, `find` and `git`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.ts';
import { type Limit, type Row, ratioRow } from '../report.ts';
import type { World } from '../world.ts';

interface Times {
  readonly pushMs: number;
  readonly tarMs: number;
  readonly unchangedMs: number;
  readonly statusMs: number;
  readonly noneMs: number;
  readonly tenMs: number;
  readonly thousandMs: number;
}

function atMost(bound: number): Limit {
  return { kind: 'most', bound, unit: '×' };
}

export function syncRows(world: World): Row[] {
  const dir = join(world.dir, 'sync');
  mkdirSync(dir);
  // On the runtime the programs are shipped with; this process runs on Node.
  const bun = join(packageRoot(), 'node_modules', '.bin', 'bun');
  const subject = join(packageRoot(), 'bench', 'sync-subject.ts');
  const answer = execFileSync(bun, [subject, dir], { env: world.env, encoding: 'utf8', timeout: 600_000 });
  const times = JSON.parse(answer) as Times;
  const row = (what: string, medianMs: number, reference: string, referenceMs: number, bound: number): Row =>
    ratioRow(what, { medianMs, referenceMs }, reference, atMost(bound));
  return [
    row('push of 10,000 files', times.pushMs, 'tar | tar', times.tarMs, 1.5),
    row('push of 10,000 unchanged files', times.unchangedMs, 'git status', times.statusMs, 3),
    row('pull of 10 changes among 10,000', times.tenMs, 'pull of none', times.noneMs, 2),
    row('pull of 1,000 changes among 10,000', times.thousandMs, 'push of 10,000', times.pushMs, 0.5),
  ];
}
