/** Starting a sprite and running commands in it, against the OCI runtime alone on the same bundle. */
import { call, compare, type Subject } from '../measure.ts';
import { type Row, ratioRow } from '../report.ts';
import type { World } from '../world.ts';

export function runRows(world: World): Row[] {
  call(world.wreckit('sprite', 'start', 'model'));
  const bundle = world.rawBundle('model');
  const runRaw = (): void => call(world.raw('run', '--detach', '--bundle', bundle, 'raw'));
  const deleteRaw = (): void => call(world.raw('delete', '--force', 'raw'));
  const execRaw = (): void => call(world.raw('exec', 'raw', 'true'));

  const startSubject: Subject = {
    run: () => {
      call(world.wreckit('sprite', 'start', 'fresh'));
      call(world.wreckit('sprite', 'exec', 'fresh', '--', 'true'));
    },
    after: () => call(world.wreckit('sprite', 'kill', 'fresh')),
  };
  const startReference: Subject = {
    run: () => {
      runRaw();
      execRaw();
    },
    after: deleteRaw,
  };
  const start = compare(startSubject, startReference, 12);

  runRaw();
  const exec = compare(
    { run: () => call(world.wreckit('sprite', 'exec', 'model', '--', 'true')) },
    { run: execRaw },
    20,
  );
  deleteRaw();
  call(world.wreckit('sprite', 'kill', 'model'));
  const raw = world.runtime;
  return [
    ratioRow('start and first exec', start, `${raw} run -d; ${raw} exec true`, {
      kind: 'most',
      bound: 2.5,
      unit: '×',
    }),
    ratioRow('wreckit sprite exec … true', exec, `${raw} exec true`, { kind: 'most', bound: 3, unit: '×' }),
  ];
}
