import { afterEach, beforeEach, expect, jest, test } from 'bun:test';
import { deadline } from '../../process/deadline.ts';

const DAY_MS = 86_400_000;

/** The fake clock's own step has a limit. */
function advance(ms: number): void {
  for (let left = ms; left > 0; left -= DAY_MS) jest.advanceTimersByTime(Math.min(left, DAY_MS));
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function watched(afterMs: number | undefined) {
  const fired: string[] = [];
  return { timer: deadline(afterMs, () => fired.push('fired')), fired };
}

test.each([1, 1000, 24 * DAY_MS, 30 * DAY_MS, 400 * DAY_MS])(
  'deadline fires after %p ms, once',
  (afterMs) => {
    const { fired } = watched(afterMs);
    advance(afterMs - 1);
    expect(fired).toEqual([]);
    advance(1);
    expect(fired).toEqual(['fired']);
    advance(100 * DAY_MS);
    expect(fired).toEqual(['fired']);
  },
);

test('deadline does not fire once disposed, nor without a time', () => {
  const { timer, fired } = watched(30 * DAY_MS);
  advance(29 * DAY_MS);
  timer[Symbol.dispose]();
  const never = watched(undefined);
  advance(400 * DAY_MS);
  expect([fired, never.fired]).toEqual([[], []]);
});
