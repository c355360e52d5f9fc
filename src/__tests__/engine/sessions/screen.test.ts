import { describe, expect, test } from 'bun:test';
import { appendFileSync } from 'node:fs';
import { SerializeAddon } from '@xterm/addon-serialize';
import { Terminal } from '@xterm/headless';
import { logPath } from '../../../engine/local/sessions/log-files.ts';
import { renderScreen } from '../../../engine/local/sessions/screen.ts';
import { makeSessionDir } from '../../../engine/local/sessions/session-dir.ts';
import { recordSize } from '../../../engine/local/sessions/terminal-sizes.ts';
import { identify } from '../../../process/identity.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const SIZE = { cols: 40, rows: 10 };

interface Log extends Disposable {
  readonly path: string;
  readonly bytes: Buffer;
}

/** A terminal session's directory with this in its log. */
function logOf(content: string | Uint8Array): Log {
  const dir = tempDir();
  const path = dir.join('s1');
  const self = identify(process.pid);
  if (self === null) throw new Error('no /proc');
  makeSessionDir(path, {
    version: 1,
    id: 's1',
    command: ['sh'],
    dir: '/',
    user: 'sprite',
    tty: SIZE,
    has_stdin: true,
    created_at: new Date().toISOString(),
    created_ticks: 0,
    timeout_ms: null,
    log_cap_bytes: 1024 * 1024,
    annotations: {},
    init: self,
    opener: self,
  });
  const bytes = Buffer.from(content);
  appendFileSync(logPath(path, 'stdout'), bytes);
  return { path, bytes, [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

interface Shown {
  readonly cells: string;
  readonly modes: object;
  readonly cursor: readonly number[];
}

async function show(...parts: (string | Uint8Array)[]): Promise<Shown> {
  const terminal = new Terminal({ ...SIZE, scrollback: 1000, allowProposedApi: true });
  const serializer = new SerializeAddon();
  terminal.loadAddon(serializer);
  for (const part of parts) await new Promise<void>((resolve) => terminal.write(part, resolve));
  const { cursorX, cursorY } = terminal.buffer.active;
  return { cells: serializer.serialize(), modes: terminal.modes, cursor: [cursorX, cursorY] };
}

const FULL_SCREEN = [
  'prompt$ vi \x1b]0;título\x07\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[2 q\x1b[2J\x1b[H',
  '\x1b[1;7mstatus ✓\x1b[0m\x1b[2;8r\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?25l\x1b[5;3H\x1b[38;5;208mx',
].join('');

const STREAMS: Readonly<Record<string, string>> = {
  'plain text': 'one\r\ntwo\r\nthree',
  'more lines than the screen has': Array.from({ length: 20 }, (_, line) => `${line}`).join('\r\n'),
  'colours left on': 'a\x1b[1;31mred\x1b[4m',
  'a full-screen program': FULL_SCREEN,
  'a full-screen program that has left': `${FULL_SCREEN}\x1b[?1049l\x1b[?25h\x1b[?1002l\x1b[r\r\nback`,
  'wide characters and emoji': '日本語 👍🏽 ok\x1b[2;2Hé',
};

describe('renderScreen()', () => {
  for (const [name, stream] of Object.entries(STREAMS)) {
    test(`shows what was there, and goes on without a lost or doubled byte: ${name}`, async () => {
      const all = Buffer.from(stream);
      const expected = await show(all);
      for (let cut = 0; cut <= all.length; cut += all.length > 80 ? 3 : 1) {
        using log = logOf(all.subarray(0, cut));
        const { bytes, nextOffset } = await renderScreen(log.path, SIZE);
        expect(nextOffset).toBeLessThanOrEqual(cut);
        const resumed = await show(bytes, all.subarray(nextOffset));
        expect(resumed).toEqual(expected);
      }
    }, 60_000);
  }

  test('never cuts a character or a sequence', async () => {
    using log = logOf('ok\x1b[31');
    expect((await renderScreen(log.path, SIZE)).nextOffset).toBe(2);
    using half = logOf(Buffer.from('ok€').subarray(0, 4));
    expect((await renderScreen(half.path, SIZE)).nextOffset).toBe(2);
    using title = logOf('ok\x1b]0;half a ti');
    expect((await renderScreen(title.path, SIZE)).nextOffset).toBe(2);
  });

  test('restores what the cells do not show: cursor, mouse encoding, keyboard, title', async () => {
    using log = logOf(`${FULL_SCREEN}\x1b[>1u`);
    const text = Buffer.from((await renderScreen(log.path, SIZE)).bytes).toString();
    for (const sequence of [
      '\x1b[?25l',
      '\x1b[?1006h',
      '\x1b[2 q',
      '\x1b[>1u',
      '\x1b]2;título\x07',
      '\x1b=',
    ]) {
      expect(text).toContain(sequence);
    }
  });

  test('forgets modes that were taken back', async () => {
    using log = logOf(`${FULL_SCREEN}\x1b[>1u\x1b[<u\x1bc`);
    const text = Buffer.from((await renderScreen(log.path, SIZE)).bytes).toString();
    expect(text).not.toMatch(/\?1006h|\?25l|>1u/);
  });

  test('plays the end of a long log alone, in the modes that its beginning set', async () => {
    const lines = Array.from(
      { length: 150_000 },
      (_, line) => `\x1b[3${line % 8}mline ${line} of many\x1b[0m\r\n`,
    );
    using log = logOf(`\x1b[?1049h\x1b[?2004h\x1b[?25l${lines.join('')}`);
    expect(log.bytes.length).toBeGreaterThan(4 * 1024 * 1024);
    const { bytes, nextOffset } = await renderScreen(log.path, SIZE);
    expect(nextOffset).toBe(log.bytes.length);
    expect(await show(bytes)).toEqual(await show(log.bytes));
  }, 20_000);

  test('draws at the sizes the terminal had', async () => {
    using log = logOf(`${'x'.repeat(30)}\r\n`);
    recordSize(log.path, { offset: 32, cols: 20, rows: 5 });
    appendFileSync(logPath(log.path, 'stdout'), 'y'.repeat(25));
    const { bytes } = await renderScreen(log.path, SIZE);
    const small = new Terminal({ cols: 20, rows: 5, allowProposedApi: true });
    await new Promise<void>((resolve) => small.write(bytes, resolve));
    const rows = [0, 1, 2, 3].map((row) => small.buffer.active.getLine(row)?.translateToString(true));
    expect(rows).toEqual(['x'.repeat(20), 'x'.repeat(10), 'y'.repeat(20), 'y'.repeat(5)]);
  });

  test('lives through binary output', async () => {
    const noise = Buffer.from(
      Array.from({ length: 200_000 }, (_, index) => (index * 7919 * (index % 251)) & 0xff),
    );
    using log = logOf(noise);
    const { nextOffset } = await renderScreen(log.path, SIZE);
    expect(nextOffset).toBeLessThanOrEqual(noise.length);
    expect(nextOffset).toBeGreaterThan(0);
  });

  test('no program can make what is restored longer and longer', async () => {
    const kinds = Array.from({ length: 5000 }, (_, kind) => `\x1b[>${kind};1m`).join('');
    using log = logOf(`${'\x1b[>1u\x1b[=3u'.repeat(50_000)}${kinds}words`);
    const { bytes } = await renderScreen(log.path, SIZE);
    const text = Buffer.from(bytes).toString();
    expect(text).toContain('words');
    expect(text.length).toBeLessThan(2000);
  });
});
