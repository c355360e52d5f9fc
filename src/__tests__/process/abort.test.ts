import { describe, expect, test } from 'bun:test';
import { getEventListeners } from 'node:events';
import { fired, onAbort, orAborted, pause } from '../../process/abort.ts';

const REASON = new Error('the user left');
const never = new Promise<never>(() => undefined);

function listeners(...controllers: AbortController[]): number {
  return controllers.reduce((sum, { signal }) => sum + getEventListeners(signal, 'abort').length, 0);
}

describe('onAbort()', () => {
  test('acts once, whichever of the signals fires first, and listens to none of them any more', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    let acts = 0;
    const listening = onAbort([one.signal, undefined, other.signal], () => {
      acts += 1;
    });
    expect([acts, listeners(one, other)]).toEqual([0, 2]);
    other.abort();
    one.abort();
    expect([acts, listeners(one, other)]).toEqual([1, 0]);
    listening[Symbol.dispose]();
  });

  test('acts at once, and once, when signals have fired already', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    one.abort();
    let acts = 0;
    onAbort([other.signal, one.signal, one.signal], () => {
      acts += 1;
    });
    expect([acts, listeners(other)]).toEqual([1, 0]);
  });

  test('does not act once it is disposed', () => {
    const controller = new AbortController();
    let acts = 0;
    onAbort([controller.signal], () => {
      acts += 1;
    })[Symbol.dispose]();
    controller.abort();
    expect([acts, listeners(controller)]).toEqual([0, 0]);
  });
});

test('fired() resolves when the signal fires, and when it has', async () => {
  const controller = new AbortController();
  const waiting = fired(controller.signal);
  controller.abort();
  await waiting;
  await fired(controller.signal);
});

describe('orAborted()', () => {
  test('settles as the work does, and leaves no listener', async () => {
    const controller = new AbortController();
    expect(await orAborted(Promise.resolve(7), controller.signal)).toBe(7);
    await expect(orAborted(Promise.reject(REASON), controller.signal)).rejects.toBe(REASON);
    expect(await orAborted(Promise.resolve(8), undefined)).toBe(8);
    expect(listeners(controller)).toBe(0);
  });

  test("rejects with the signal's own reason, at once, and with what the work ends in nobody is bothered", async () => {
    const controller = new AbortController();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const waiting = orAborted(work, controller.signal);
    controller.abort(REASON);
    await expect(waiting).rejects.toBe(REASON);
    expect(listeners(controller)).toBe(0);
    // Unhandled, it would end the test.
    fail(new Error('too late'));
    await expect(orAborted(never, controller.signal)).rejects.toBe(REASON);
  });
});

describe('pause()', () => {
  test('waits, and leaves no listener', async () => {
    const controller = new AbortController();
    await pause(1, controller.signal);
    await pause(1);
    expect(listeners(controller)).toBe(0);
  });

  test("wakes with the signal's reason, also when it has fired before", async () => {
    const controller = new AbortController();
    const waiting = pause(600_000, controller.signal);
    controller.abort(REASON);
    await expect(waiting).rejects.toBe(REASON);
    await expect(pause(600_000, controller.signal)).rejects.toBe(REASON);
  });
});
