import { expect, test } from 'bun:test';
import { createProgress } from '../../cli/progress.ts';
import { memoryIo } from '../helpers/memory-io.ts';

test('createProgress() replaces one line on a terminal and takes it away', async () => {
  const io = memoryIo({ columns: 10 });
  {
    await using progress = createProgress(io, { json: false, quiet: false });
    await progress.update('pushing a long name');
    await progress.update('dropped: too soon');
  }
  expect(io.stderr.text()).toBe('\r\x1b[2Kpushing …\r\x1b[2K');
  expect(io.stdout.text()).toBe('');
});

test('createProgress() is silent when piped, under --json, --quiet and on a dumb terminal', async () => {
  for (const [io, options] of [
    [memoryIo(), { json: false, quiet: false }],
    [memoryIo({ columns: 80 }), { json: true, quiet: false }],
    [memoryIo({ columns: 80 }), { json: false, quiet: true }],
    [memoryIo({ columns: 80, env: { TERM: 'dumb' } }), { json: false, quiet: false }],
  ] as const) {
    await using progress = createProgress(io, options);
    await progress.update('x');
    await progress.clear();
    expect(io.stderr.text()).toBe('');
  }
});
