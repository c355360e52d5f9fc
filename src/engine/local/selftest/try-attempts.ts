/** Tries attempts in a sprite and judges what became of them. */
import type { Attempt } from '../../../contract/schemas.ts';
import type { SpriteEngine, Waiting } from '../../engine.ts';
import type { EscapeAttempt } from './attempts.ts';
import type { Bait } from './bait.ts';

const ATTEMPT_TIMEOUT_MS = 30_000;
const MAX_SAID_BYTES = 4096;

export interface Subject {
  readonly engine: Pick<SpriteEngine, 'openSession' | 'info'>;
  readonly sprite: string;
  readonly bait: Bait;
}

export async function tryAttempt(
  subject: Subject,
  attempt: EscapeAttempt,
  waiting: Waiting = {},
): Promise<Attempt> {
  const { name, does, user, needs, limit } = attempt;
  const judged = (status: Attempt['status'], said: string): Attempt => ({ name, does, user, status, said });
  if (limit !== undefined && !(await isLimited(subject, limit))) {
    return judged('skipped', `this machine enforces no limit of ${limit === 'pids' ? 'processes' : limit}`);
  }
  if (needs !== undefined && (await run(subject, `command -v ${needs}`, 'sprite', waiting)).code !== 0) {
    return judged('skipped', `it takes ${needs}, which the sprite lacks`);
  }
  if (attempt.before !== undefined) await run(subject, attempt.before, 'root', waiting);
  const { code, text } = await run(subject, attempt.command(subject.bait), user, waiting);
  const said = `${code} ${text}`.trim();
  const isRefused = attempt.refusal.test(said);
  return judged(isRefused ? 'refused' : code === 0 ? 'succeeded' : 'unclear', said);
}

async function isLimited({ engine, sprite }: Subject, limit: 'memory' | 'pids'): Promise<boolean> {
  const { resources } = await engine.info(sprite);
  return (limit === 'memory' ? resources.memory_bytes : resources.pids) !== null;
}

async function run(
  { engine, sprite }: Subject,
  command: string,
  user: 'root' | 'sprite',
  waiting: Waiting,
): Promise<{ code: number | null; text: string }> {
  const spec = {
    command: ['/bin/sh', '-c', command],
    user,
    env: { LC_ALL: 'C' },
    timeoutMs: ATTEMPT_TIMEOUT_MS,
  };
  await using session = await engine.openSession(sprite, spec, waiting);
  let said = Buffer.alloc(0);
  for await (const { bytes } of session.output({ ...waiting, follow: true })) {
    if (said.length < MAX_SAID_BYTES) said = Buffer.concat([said, bytes]);
  }
  const { exitCode } = await session.exit(waiting);
  return { code: exitCode, text: said.subarray(0, MAX_SAID_BYTES).toString('utf8').trim() };
}
