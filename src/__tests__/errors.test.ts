import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { toWreckitError } from '../errors.ts';

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

test('toWreckitError() tells a disk that refuses from a fault of the program', () => {
  const full = toWreckitError(thrownBy(() => writeFileSync('/dev/full', 'x')));
  expect(full).toMatchObject({ code: 'INTERNAL', exitCode: 1 });
  expect(full.hint).toContain('make room');
  const fault = toWreckitError(new TypeError('x is undefined'));
  expect(fault).toMatchObject({ code: 'INTERNAL', exitCode: 1, message: 'x is undefined' });
  expect(fault.hint).toContain('fault of the program');
});
