/** Words of a sprite that want to steer the user's terminal. */
import { describe, expect, test } from 'bun:test';
import { printFailure, printResult } from '../../cli/output.ts';
import { shownMessage, shownText } from '../../cli/shown-text.ts';
import { TerminalFilter } from '../../cli/terminal-filter.ts';
import { RunConsole } from '../../commands/run/run-console.ts';
import { WreckitError } from '../../errors.ts';
import { memoryIo } from '../helpers/memory-io.ts';

/** Title, clipboard, clear, cursor, concealed text, C1, and text turned around. */
const ATTACKS = [
  '\x1b]0;title\x07',
  '\x1b]52;c;cm0gLXJm\x1b\\',
  '\x1b[2J',
  '\x1b[1A',
  '\x1b[8m',
  '\x9b2J',
  '\u202e',
  '\r\x1b[K',
  '\x1bP$qm\x1b\\',
];
const STEERING = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

function modeOf(io: ReturnType<typeof memoryIo>) {
  return { io, verb: 'list', json: false, verbose: true, signal: new AbortController().signal };
}

describe('what a verb prints', () => {
  for (const attack of ATTACKS) {
    test(`an answer with ${JSON.stringify(attack)} shows it`, async () => {
      const io = memoryIo({ columns: 80 });
      await printResult(modeOf(io), { text: `a${attack}b` });
      expect(io.stdout.text()).toMatch(/^a.*\\u.*b\n$/);
      expect(io.stdout.text()).not.toMatch(STEERING);
    });
  }

  test('an answer keeps the styles of its own tables', async () => {
    const io = memoryIo({ columns: 80 });
    await printResult(modeOf(io), { text: '\x1b[1mNAME\x1b[22m\nx\n' });
    expect(io.stdout.text()).toBe('\x1b[1mNAME\x1b[22m\nx\n');
  });

  test("no further line of a message passes for a line of ours, also in the cause's trace", async () => {
    const io = memoryIo({ columns: 80 });
    const cause = new Error(`x${ATTACKS.join('')}`);
    await printFailure(
      modeOf(io),
      new WreckitError('CONFLICT', 'a\nhint: run this', { hint: 'wait', cause }),
    );
    expect(io.stderr.text()).toStartWith('error: a\n  hint: run this\nhint: wait\n');
    expect(io.stderr.text()).not.toMatch(STEERING);
  });

  test('`shownText()` leaves words of every script as they are', () => {
    expect(shownText('naïve 日本 👩‍💻\tعربي\n')).toBe('naïve 日本 👩‍💻\tعربي\n');
    expect(shownMessage('one\ntwo')).toBe('one\n  two');
  });
});

describe('`TerminalFilter`', () => {
  for (const attack of ATTACKS) {
    test(`takes ${JSON.stringify(attack)} out, wherever it is cut`, () => {
      for (let at = 0; at <= attack.length; at += 1) {
        const filter = new TerminalFilter();
        const shown = filter.push(`a${attack.slice(0, at)}`) + filter.push(`${attack.slice(at)}b`);
        expect(shown.replace('\r', '')).toBe('ab');
      }
    });
  }

  test('a string that never ends does not swallow what follows for ever', () => {
    const filter = new TerminalFilter();
    filter.push('\x1b]0;');
    for (let piece = 0; piece < 70; piece += 1) filter.push('x'.repeat(1024));
    expect(filter.push('seen')).toBe('seen');
  });

  test('a line end in the middle of a sequence is kept', () => {
    expect(new TerminalFilter().push('a\x1b[1\nb')).toBe('a\nb');
  });
});

describe('`RunConsole`', () => {
  async function said(columns: number | undefined): Promise<{ stdout: string; stderr: string }> {
    const io = memoryIo(columns === undefined ? {} : { columns });
    await using shown = new RunConsole({ io, mode: 'text', quiet: false, isRaw: false });
    await shown.event({ type: 'assistant_text', text: `a${ATTACKS.join('')}b\n` });
    await shown.stderr(`c${ATTACKS.join('')}d\n`);
    return { stdout: io.stdout.text(), stderr: io.stderr.text() };
  }

  test("an agent's words reach a terminal without what steers it", async () => {
    const { stdout, stderr } = await said(80);
    expect(stdout.replaceAll('\r', '')).toBe('ab\n');
    expect(stderr.replaceAll('\r', '')).toBe('cd\n');
  });

  test('a file or a pipe gets every byte', async () => {
    const { stdout, stderr } = await said(undefined);
    expect(stdout).toBe(`a${ATTACKS.join('')}b\n`);
    expect(stderr).toBe(`c${ATTACKS.join('')}d\n`);
  });
});
