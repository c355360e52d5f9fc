/** What a command costs before it does anything, against an empty program of Node's. */
import { call, compare, type Subject } from '../measure.ts';
import { milliseconds, type Row, ratioRow } from '../report.ts';
import type { World } from '../world.ts';

export function startUpRows(world: World): Row[] {
  const empty: Subject = { run: () => call(world.node('-e', '0')) };
  const list = compare({ run: () => call(world.wreckit('sprite', 'list', '--json')) }, empty, 20);
  const help = compare({ run: () => call(world.wreckit('--help')) }, empty, 20);
  return [
    ratioRow('wreckit sprite list --json', list, 'node -e 0', { kind: 'most', bound: 1.2, unit: '×' }),
    ratioRow('wreckit --help', help, 'node -e 0', { kind: 'most', bound: 0.8, unit: '×' }),
    ...certificateRow(world, empty),
  ];
}

/** Where the environment makes Node read certificates at every start, the reference is slower than elsewhere: said. */
function certificateRow(world: World, empty: Subject): Row[] {
  const { NODE_EXTRA_CA_CERTS: certificates, ...env } = world.env;
  if (!certificates) return [];
  const bare: Subject = { run: () => call({ ...world.node('-e', '0'), env }) };
  const { medianMs, referenceMs } = compare(bare, empty, 10);
  return [
    {
      what: 'node -e 0 without NODE_EXTRA_CA_CERTS',
      measured: milliseconds(medianMs),
      reference: `with it, as above: ${milliseconds(referenceMs)}`,
      value: `${(medianMs / referenceMs).toFixed(2)}×`,
      target: 'none, for information',
      isMet: true,
    },
  ];
}
