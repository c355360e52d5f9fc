import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { isSane, Pty } from './pty.ts';

test('LocalTerminal gives the terminal back before a fault nobody caught is told', async () => {
  const { PATH = '', HOME = '', TMPDIR = '', WRECKIT_TEST_SCOPE = '' } = process.env;
  const argv = [process.execPath, join(import.meta.dirname, 'terminal-fault.ts'), 'now'];
  await using pty = new Pty(argv, { env: { PATH, HOME, TMPDIR, WRECKIT_TEST_SCOPE } });
  const { exitCode, settings } = await pty.end();
  expect(exitCode).toBe(1);
  expect(isSane(settings)).toBe(true);
  expect(pty.text).toContain('TAKEN\x1b[?1000l\x1b[?1049l\x1b[0m');
  expect(pty.text.indexOf('\x1b[?1049l')).toBeLessThan(pty.text.indexOf('error: stray fault\r\n'));
}, 30_000);
