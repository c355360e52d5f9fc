import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Lifecycle, type RunningThing, shutdownExitCode } from '../../agent/lifecycle.ts';
import { WreckitError } from '../../errors.ts';
import { identify } from '../../process/identity.ts';
import { eventually } from '../helpers/eventually.ts';
import { fixtureBin } from '../helpers/fixtures.ts';
import { RUNTIMES, type RuntimeName } from '../process/runtimes.ts';

const DONE = { kind: 'done' } as const;

function thing(name: string, phase: RunningThing['phase'], stop: RunningThing['stop']): RunningThing {
  return { name, phase, stop };
}

describe('Lifecycle', () => {
  test('stops agents, then collects work, then sees to the sprites', async () => {
    const lifecycle = new Lifecycle();
    const order: string[] = [];
    for (const phase of ['sprites', 'agents', 'work'] as const) {
      lifecycle.add(
        thing(phase, phase, async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          order.push(phase);
        }),
      );
    }
    expect(await lifecycle.shutdown(DONE)).toEqual({ reason: DONE, failures: [], forced: false });
    expect(order).toEqual(['agents', 'work', 'sprites']);
    expect(lifecycle.running).toEqual([]);
  });

  test('shuts down once, for the first reason, however often it is asked', async () => {
    const lifecycle = new Lifecycle();
    const stops: string[] = [];
    lifecycle.add(thing('agent', 'agents', async () => void stops.push('agent')));
    const first = lifecycle.shutdown({ kind: 'signal', signalName: 'SIGTERM' });
    const second = lifecycle.shutdown(DONE);
    expect(await first).toBe(await second);
    expect((await second).reason).toEqual({ kind: 'signal', signalName: 'SIGTERM' });
    expect(stops).toEqual(['agent']);
    expect(lifecycle.signal.aborted).toBe(true);
  });

  test('goes on with the rest when one can’t be stopped, and tells', async () => {
    const lifecycle = new Lifecycle();
    const collected: string[] = [];
    lifecycle.add(thing('stubborn', 'agents', () => Promise.reject(new Error('no'))));
    lifecycle.add(thing('work', 'work', async () => void collected.push('work')));
    expect((await lifecycle.shutdown(DONE)).failures).toEqual([{ name: 'stubborn', message: 'no' }]);
    expect(collected).toEqual(['work']);
  });

  test('no longer waits when hurried, and kills', async () => {
    const lifecycle = new Lifecycle();
    let killed = false;
    lifecycle.add({
      ...thing('deaf', 'agents', () => new Promise(() => undefined)),
      killNow: () => {
        killed = true;
      },
    });
    const ending = lifecycle.shutdown(DONE);
    lifecycle.hurry();
    expect(await ending).toMatchObject({ forced: true, failures: [{ name: 'deaf' }] });
    expect(killed).toBe(true);
  });

  test('stops what is added while it shuts down, and forgets what is disposed', async () => {
    const lifecycle = new Lifecycle();
    const stopped: string[] = [];
    lifecycle.add(thing('gone', 'agents', async () => void stopped.push('gone')))[Symbol.dispose]();
    lifecycle.add(
      thing('first', 'agents', async () => {
        lifecycle.add(thing('late', 'agents', async () => void stopped.push('late')));
        stopped.push('first');
      }),
    );
    await lifecycle.shutdown(DONE);
    expect(stopped).toEqual(['first', 'late']);
  });

  test('has the exit codes of the contract', () => {
    const of = (signalName: 'SIGINT' | 'SIGTERM' | 'SIGHUP') =>
      shutdownExitCode({ kind: 'signal', signalName });
    expect([of('SIGINT'), of('SIGTERM'), of('SIGHUP')]).toEqual([130, 143, 129]);
    expect(shutdownExitCode({ kind: 'error', error: new Error('x') })).toBe(1);
    expect(shutdownExitCode({ kind: 'error', error: new WreckitError('AUTH_MISSING', 'x') })).toBe(4);
    expect(shutdownExitCode(DONE)).toBe(0);
  });
});

interface Program {
  readonly signal: (name: NodeJS.Signals) => void;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(runtime: RuntimeName, mode: string, ...agent: string[]): Program {
  const [program, ...args] = RUNTIMES[runtime];
  const file = fileURLToPath(new URL('./lifecycle-program.ts', import.meta.url));
  const child = spawn(program, [...args, file, mode, ...agent], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { signal: (name) => void child.kill(name), output: () => output, ended };
}

/** An agent that prints its pid and waits. */
const WAITING = ['sh', '-c', 'echo pid=$$; exec sleep 600'];

async function agentPid(program: Program): Promise<number> {
  return await eventually(() => Number(/pid=(\d+)/.exec(program.output())?.[1] ?? 0), { timeoutMs: 20_000 });
}

describe.each(Object.keys(RUNTIMES) as RuntimeName[])('watchProcess() on %s', (runtime) => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s stops the agent, collects, and then ends with %p',
    async (signalName, exitCode) => {
      const program = start(runtime, 'wait', ...WAITING);
      const pid = await agentPid(program);
      program.signal(signalName);
      expect(await program.ended).toBe(exitCode);
      expect(identify(pid)).toBeNull();
      expect(program.output()).toMatch(/aborted\ncollected\n|collected\naborted\n/);
    },
    30_000,
  );

  test('the second Ctrl+C does not wait for an agent that ignores the first', async () => {
    const program = start(runtime, 'wait', fixtureBin('child-ignores-term'));
    await eventually(() => program.output().includes('ready'), { timeoutMs: 20_000 });
    program.signal('SIGINT');
    await eventually(() => program.output().includes('ending'));
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.output()).toContain('{"forced":true,"failures":0}');
  }, 30_000);

  test.each([
    ['throw', 1, true],
    ['exit', 7, false],
  ] as const)(
    'no agent outlives a program that ends by itself: %s',
    async (mode, exitCode, isCollected) => {
      const program = start(runtime, mode, ...WAITING);
      const pid = await agentPid(program);
      expect(await program.ended).toBe(exitCode);
      await eventually(() => identify(pid) === null, { what: 'the agent to be gone' });
      // An uncaught error goes the way of a signal: the work is not lost.
      expect(program.output().includes('collected')).toBe(isCollected);
    },
    30_000,
  );
});
