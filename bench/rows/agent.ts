/** A whole `wreckit run` around an agent that does nothing, against starting that sprite alone. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, call, compare } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row } from '../report.ts';
import type { World } from '../world.ts';

const LIMIT: Limit = { kind: 'most', bound: 1, unit: ' s' };

export function agentRows(world: World): Row[] {
  const project = join(world.dir, 'project');
  mkdirSync(join(project, '.wreckit'), { recursive: true });
  const agent = { kind: 'sprite', agent: { kind: 'process', command: 'true', args: [] } };
  writeFileSync(join(project, '.wreckit', 'config.json'), JSON.stringify({ agent }));
  writeFileSync(join(project, 'a.txt'), 'a\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
      cwd: project,
      env: world.env,
    });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'start');
  const inProject = (...args: string[]): Command => ({ ...world.wreckit(...args), cwd: project });
  const { medianMs, referenceMs } = compare(
    { run: () => call(inProject('run', 'do nothing')) },
    {
      run: () => call(inProject('sprite', 'start', 'alone')),
      after: () => call(inProject('sprite', 'kill', 'alone')),
    },
    10,
  );
  const overMs = medianMs - referenceMs;
  return [
    {
      what: 'wreckit run with an agent that does nothing',
      measured: milliseconds(medianMs),
      reference: `wreckit sprite start: ${milliseconds(referenceMs)}`,
      value: `${milliseconds(overMs)} more`,
      target: limitText(LIMIT),
      isMet: isWithin(overMs / 1000, LIMIT),
    },
  ];
}
