import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolveWisp } from '../../agent/wisp-client/wisp-program.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function program(path: string, mode = 0o755): string {
  writeFileSync(path, '#!/bin/sh\n', { mode });
  chmodSync(path, mode);
  return path;
}

test('resolveWisp() is the bundled wisp when nothing is configured, on the runtime of this process', () => {
  const bundled = resolveWisp({ env: { PATH: '' } });
  expect(bundled.origin).toBe('bundled');
  expect(bundled.argv[0]).toBe(process.execPath);
  expect(bundled.argv).toContain('--config=/dev/null');
});

test('resolveWisp() takes an absolute path, one relative to cwd and one below the home', () => {
  using dir = tempDir();
  const path = program(dir.join('my-wisp'));
  const configured = { argv: [path], path, origin: 'configured' as const, dialect: 'wisp' as const };
  expect(resolveWisp({ wispPath: path })).toEqual(configured);
  expect(resolveWisp({ wispPath: './my-wisp', cwd: dir.path })).toEqual(configured);
  expect(resolveWisp({ wispPath: '~/my-wisp', env: { HOME: dir.path } })).toEqual(configured);
});

test('resolveWisp() looks a bare name up on PATH, past what is no program', () => {
  using dir = tempDir();
  for (const name of ['a', 'b', 'c']) mkdirSync(dir.join(name));
  program(dir.join('a', 'wisp'), 0o644);
  mkdirSync(dir.join('b', 'wisp'));
  const path = program(dir.join('c', 'wisp'));
  const PATH = ['a', 'b', 'c'].map((name) => dir.join(name)).join(':');
  expect(resolveWisp({ wispPath: 'wisp', env: { PATH } }).path).toBe(path);
});

test('resolveWisp() does not search empty and relative entries of PATH', async () => {
  using dir = tempDir();
  program(dir.join('wisp'));
  for (const PATH of ['', ':', '.', './:bin']) {
    const error = await wreckitErrorOf(() => resolveWisp({ wispPath: 'wisp', cwd: dir.path, env: { PATH } }));
    expect(error.code).toBe('WISP_NOT_FOUND');
  }
});

test('resolveWisp() says WISP_NOT_FOUND for what is not there, with how to set another', async () => {
  using dir = tempDir();
  for (const wispPath of [dir.join('none'), 'no-such-wisp', './none', dir.join('none', 'wisp')]) {
    const error = await wreckitErrorOf(() =>
      resolveWisp({ wispPath, cwd: dir.path, env: { PATH: dir.path } }),
    );
    expect(error.name).toBe('WispNotFoundError');
    expect([error.code, error.exitCode]).toEqual(['WISP_NOT_FOUND', 6]);
    expect(error.hint).toContain('agent.wispPath');
  }
});

test('resolveWisp() says WISP_INCOMPATIBLE for what is no program, naming what it is', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('directory'));
  program(dir.join('plain'), 0o644);
  symlinkSync('/dev/null', dir.join('device'));
  const faults = { directory: 'a directory', plain: 'not executable', device: 'not a regular file' };
  for (const [name, fault] of Object.entries(faults)) {
    const error = await wreckitErrorOf(() => resolveWisp({ wispPath: dir.join(name) }));
    expect([error.code, error.exitCode]).toEqual(['WISP_INCOMPATIBLE', 6]);
    expect(error.message).toContain(fault);
    expect(error.message).toContain(dir.join(name));
    expect(error.hint).toContain('agent.wispPath');
  }
  const error = await wreckitErrorOf(() => resolveWisp({ wispPath: 'plain', env: { PATH: dir.path } }));
  expect(error.code).toBe('WISP_INCOMPATIBLE');
});

test("resolveWisp() knows Fly's command by its name", () => {
  using dir = tempDir();
  expect(resolveWisp({ wispPath: program(dir.join('sprite')) }).dialect).toBe('fly');
});
