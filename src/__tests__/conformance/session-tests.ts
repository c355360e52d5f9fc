import { expect } from 'bun:test';
import { SessionSchema } from '../../contract/schemas.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { outputOf, piecesOf } from './run-in.ts';
import type { Suite } from './suite.ts';

const WAIT = { timeoutMs: 20_000 };

export function sessionTests({ check, shared }: Suite): void {
  check(
    'keeps a session that nobody holds, and goes on with its output from any byte',
    [],
    async ({ engine }) => {
      const script = 'echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; exit 6';
      const dir = '/home/sprite';
      const handle = await engine.openSession(shared, { command: ['sh', '-c', script], dir });
      const { id } = handle;
      await eventually(
        async () => (await outputOf(handle, { follow: false })).stdout.toString() === 'first\n',
        WAIT,
      );
      await handle[Symbol.asyncDispose]();
      const session = (await engine.sessions(shared)).find((one) => one.id === id);
      expect(SessionSchema.parse(session)).toMatchObject({ id, state: 'running', tty: false });
      expect((await engine.info(shared)).sessions).toEqual(
        expect.arrayContaining([expect.objectContaining({ id })]),
      );
      await using again = await engine.session(shared, id);
      await engine.files.write(shared, `${dir}/go`, piecesOf());
      expect((await outputOf(again, { stdoutFrom: 2 })).stdout.toString()).toBe('rst\nsecond\n');
      expect((await again.exit()).exitCode).toBe(6);
      expect((await outputOf(again)).stdout.toString()).toBe('first\nsecond\n');
      expect((await engine.killSession(shared, id)).alreadyGone).toBe(true);
      await engine.files.remove(shared, `${dir}/go`);
    },
  );

  check('keeps both streams of a session apart', ['stderr-log'], async ({ engine }) => {
    await using handle = await engine.openSession(shared, {
      command: ['sh', '-c', 'echo out; echo err >&2'],
    });
    await handle.exit();
    await using again = await engine.session(shared, handle.id);
    const { stdout, stderr } = await outputOf(again, { stderrFrom: 1 });
    expect([stdout.toString(), stderr.toString()]).toEqual(['out\n', 'rr\n']);
  });

  check('ends a session: the group with its children, and says how', [], async ({ engine }) => {
    const script = 'sleep 1000 & echo $!; wait';
    await using handle = await engine.openSession(shared, { command: ['sh', '-c', script] });
    const child = await eventually(
      async () => (await outputOf(handle, { follow: false })).stdout.toString().trim(),
      WAIT,
    );
    const ended = await engine.killSession(shared, handle.id, { graceMs: 5000 });
    expect(ended.alreadyGone).toBe(false);
    await eventually(
      async () =>
        (await engine.sessions(shared)).every((one) => one.id !== handle.id || one.state !== 'running'),
      WAIT,
    );
    await using look = await engine.openSession(shared, {
      command: ['sh', '-c', `kill -0 ${child} && exit 1; exit 0`],
    });
    await eventually(async () => (await look.exit()).exitCode === 0, WAIT);
  });

  check('sends the one signal that is asked for, and no more', ['signal-name'], async ({ engine }) => {
    const script = 'trap "echo caught; exit 9" USR1; echo ready; while :; do sleep 0.05; done';
    await using handle = await engine.openSession(shared, { command: ['sh', '-c', script] });
    await eventually(
      async () => (await outputOf(handle, { follow: false })).stdout.toString() === 'ready\n',
      WAIT,
    );
    await engine.killSession(shared, handle.id, { name: 'SIGUSR1', only: true });
    expect((await handle.exit()).exitCode).toBe(9);
    expect((await outputOf(handle)).stdout.toString()).toBe('ready\ncaught\n');
  });

  check('knows no session that is not there, and leads nowhere else by its id', [], async ({ engine }) => {
    for (const id of ['nosuch', 's999999', '..', '../x', 'a/b', '', 'a?b', '%2e']) {
      for (const call of [
        async () => await (await engine.session(shared, id)).info(),
        () => engine.killSession(shared, id),
      ]) {
        expect([id, (await wreckitErrorOf(call)).code]).toEqual([id, 'SESSION_NOT_FOUND']);
      }
    }
  });

  check('waits no longer for a session than it is asked to, and leaves it alone', [], async ({ engine }) => {
    await using handle = await engine.openSession(shared, { command: ['sleep', '1000'] });
    await expect(handle.exit({ signal: AbortSignal.timeout(200) })).rejects.toThrow();
    expect((await engine.sessions(shared)).find(({ id }) => id === handle.id)?.state).toBe('running');
    await engine.killSession(shared, handle.id, { graceMs: 0 });
  });
}
