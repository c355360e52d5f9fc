import { type RunRecord, runStateOf } from '../../agent/runs/run-record.ts';
import type { SpriteRunner } from '../../agent/sprite-runner.ts';
import { toWreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { runDocument, runText } from '../run/run-report.ts';
import { withSprites } from '../sprite/sprite-tools.ts';
import { runOf, withRunArgument } from './run-argument.ts';

export const verb: WreckitVerb<Record<never, never>, [runId: string]> = {
  define: withRunArgument,
  examples: [
    ['wreckit runs show', 'What became of the newest run'],
    ['wreckit runs show 20260102-030405-4f9a1c --json', 'All details of one run'],
  ],
  async run(context) {
    const { record } = await runOf(context, context.args[0]);
    // Of a run that was cut off the sprite says more than the record.
    const isOver = runStateOf(record) === 'ended' && record.sprite?.kept !== true;
    if (isOver || record.sprite === null)
      return { data: { run: runDocument(record) }, text: textOf(record, null) };
    return await withSprites(context, async ({ runner }) => {
      const found = await lookAt(runner, record);
      return { data: { run: runDocument(record), sprite_now: found }, text: textOf(record, found) };
    });
  },
};

interface SpriteNow {
  /** `gone`, `unknown` (it can't be asked), or the sprite's state. */
  readonly state: string;
  readonly agent_runs: boolean | null;
}

async function lookAt(runner: SpriteRunner, { sprite, session }: RunRecord): Promise<SpriteNow> {
  try {
    const { state, sessions } = await runner.info(sprite?.name ?? '');
    const own = Array.isArray(sessions) ? sessions.find(({ id }) => id === session) : undefined;
    return { state, agent_runs: own === undefined ? null : own.state === 'running' };
  } catch (error) {
    return {
      state: toWreckitError(error).code === 'SPRITE_NOT_FOUND' ? 'gone' : 'unknown',
      agent_runs: null,
    };
  }
}

function textOf(record: RunRecord, now: SpriteNow | null): string {
  const lines = [
    `task: ${record.task}`,
    `agent: ${record.agent}${record.sandbox ? ' in a sprite' : ' on this machine'}`,
  ];
  if (runStateOf(record) === 'interrupted') lines.push(`it was cut off while it was at: ${record.step}`);
  if (now?.agent_runs === true) lines.push('its agent still works in the sprite');
  if (now !== null) lines.push(`the sprite is ${now.state}`);
  return [...lines, runText(record)].join('\n');
}
