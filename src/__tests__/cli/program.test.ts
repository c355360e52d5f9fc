import { describe, expect, test } from 'bun:test';
import { runProgram } from '../../cli/program.ts';
import { InterruptedError } from '../../cli/signals.ts';
import { WreckitError } from '../../errors.ts';
import { type MemoryIoOptions, memoryIo } from '../helpers/memory-io.ts';
import { sample } from './sample-program.ts';

async function call(argv: string[], options: MemoryIoOptions & { signal?: AbortSignal } = {}) {
  const io = memoryIo(options);
  const exitCode = await runProgram({ ...sample, argv, io, signal: options.signal });
  return { exitCode, stdout: io.stdout.text(), stderr: io.stderr.text() };
}

async function callJson(argv: string[], options: MemoryIoOptions & { signal?: AbortSignal } = {}) {
  const { exitCode, stdout, stderr } = await call(argv, options);
  return { exitCode, stderr, document: JSON.parse(stdout) };
}

describe('runProgram() finds the verb', () => {
  test('with global options before, between and after its words', async () => {
    for (const argv of [
      ['--json', '--cwd', '/', 'sprite', '-q', 'exec', 'demo', '--', 'ls'],
      ['sprite', '--cwd', '/', 'exec', '--json', 'demo', '-q', '--', 'ls'],
      ['sprite', 'exec', 'demo', '-q', '--cwd=/', '--json', '--', 'ls'],
    ]) {
      const { document, exitCode } = await callJson(argv);
      expect(document).toEqual({
        success: true,
        verb: 'sprite exec',
        data: {
          args: ['demo'],
          options: {},
          globals: { input: true, json: true, quiet: true, cwd: '/' },
          rest: ['ls'],
          cwd: '/',
        },
      });
      expect(exitCode).toBe(3);
    }
  });

  test('and hands everything after "--" over untouched', async () => {
    const rest = ['-la', '--json', '--', '--help', '', 'a b', '--timeout'];
    const { stdout, stderr } = await call(['sprite', 'exec', 'demo', '--', ...rest]);
    expect(stdout).toBe(`ran ${rest.join(' ')}\n`);
    expect(stderr).toBe('warning: careful\n');
    const { document } = await callJson(['sprite', 'exec', 'demo', '--json', '--', ...rest]);
    expect(document.data.rest).toEqual(rest);
  });

  test('and takes "--" as the end of the options where the verb has nothing behind it', async () => {
    const { document } = await callJson(['sprite', 'list', '--json', '--', '--odd']);
    expect(document.data).toEqual({ prefix: '--odd' });
  });

  test('or the default verb of a group that is called alone', async () => {
    expect((await callJson(['sprite', '--json'])).document).toMatchObject({ verb: 'sprite list' });
    expect((await call(['sprite', '--help'])).stdout).toContain('Usage: sample sprite <command>');
  });

  test('and suggests the nearest one, never a hidden one', async () => {
    expect(await call(['sprit', 'list'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'error: sample: "sprit" is not a command\nhint: did you mean: sample sprite\n',
    });
    expect((await call(['sprite', 'secre'])).stderr).toContain('list all commands: sample sprite --help');
  });
});

describe('runProgram() answers a usage error', () => {
  const cases: [argv: string[], message: string][] = [
    [
      ['sprite', 'exec', 'demo', '--tiemout', '3', '--', 'x'],
      'sample sprite exec: unknown option "--tiemout"',
    ],
    [['sprite', 'exec', '--', 'x'], 'sample sprite exec: missing required argument "sprite"'],
    [['sprite', 'exec', 'demo'], 'sample sprite exec: no command given after "--"'],
    [['sprite', 'list', 'a', 'b'], 'sample sprite list: too many arguments: expected 1 argument but got 2'],
    [['sprite', 'list', '--cwd'], 'sample sprite list: option "--cwd <dir>" argument missing'],
    [['--cwd', '/nowhere/at/all', 'sprite', 'list'], '--cwd: "/nowhere/at/all" is not a directory'],
    [['--cwd', '', 'sprite', 'list'], '--cwd: "" is not a directory'],
    [['--nonsense'], 'sample: no command given'],
    [['config', '-q'], 'sample config: no command given'],
    [
      ['sprite', 'exec', 'demo', '--timeout', 'soon', '--', 'x'],
      '--timeout: duration: "soon" is not a duration such as "30s" or "2h"',
    ],
    [['', 'list'], 'sample: "" is not a command'],
  ];

  for (const [argv, message] of cases) {
    test(`with exit 2, on stderr or as JSON: ${argv.join(' ')}`, async () => {
      const human = await call(argv);
      expect(human).toMatchObject({ exitCode: 2, stdout: '' });
      expect(human.stderr).toStartWith(`error: ${message}\nhint: `);
      const json = await callJson(['--json', ...argv]);
      expect(json).toMatchObject({ exitCode: 2, stderr: '' });
      expect(json.document).toMatchObject({ success: false, error: { code: 'USAGE', message } });
    });
  }

  test('with the code of the parser that refused', async () => {
    const { document, exitCode } = await callJson(['sprite', 'exec', '../x', '--json', '--', 'ls']);
    expect(exitCode).toBe(2);
    expect(document).toMatchObject({ verb: 'sprite exec', error: { code: 'SPRITE_NAME_INVALID' } });
  });

  test('and says where the command belongs when "--" was forgotten', async () => {
    const { stderr } = await call(['sprite', 'exec', 'demo', 'ls', '-la']);
    expect(stderr).toContain('comes after "--": sample sprite exec demo -- ls -la');
  });

  test('as text when --json belongs to the command', async () => {
    const { stdout, stderr } = await call(['sprite', 'exec', 'demo', '--nope', '--', 'x', '--json']);
    expect(stdout).toBe('');
    expect(stderr).toStartWith('error: ');
  });
});

describe('runProgram() prints', () => {
  test('a failure once, with its hint, control characters shown', async () => {
    expect(await call(['fail'])).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: 'error: kill: no sprite is called "x\\u001b[2J"\nhint: list all sprites: wreckit sprite list\n',
    });
    const { document } = await callJson(['fail', '--json']);
    expect(document.error.details).toEqual({ name: 'x' });
  });

  test('an unexpected throw as INTERNAL, with its trace under --verbose and the exit code of the verb', async () => {
    const { document, exitCode } = await callJson(['crash', '--json']);
    expect(document.error).toMatchObject({ code: 'INTERNAL', message: 'undefined is not a function' });
    expect(exitCode).toBe(125);
    expect((await call(['crash', '--verbose'])).stderr).toContain(
      'TypeError: undefined is not a function\n    at ',
    );
    expect((await call(['crash'])).stderr).not.toContain('    at ');
  });

  test('help of the program from the verb table, of a verb from its module', async () => {
    const { stdout, exitCode } = await call(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: sample <command> [options]');
    expect(stdout).toContain('Faults:\n  fail');
    expect(stdout).not.toContain('hidden');
    expect((await call([])).stdout).toBe(stdout);
    for (const argv of [
      ['help', 'sprite', 'exec'],
      ['sprite', 'exec', '--help'],
      ['sprite', 'help', 'exec'],
      ['--cwd', '/', 'help', 'sprite', 'exec', '--', 'x'],
    ]) {
      const help = await call(argv);
      expect(help.exitCode).toBe(0);
      expect(help.stdout).toContain('Usage: sample sprite exec [options] <sprite> -- <command...>');
      expect(help.stdout).toContain('Examples:\n  sample sprite exec demo -- ls -la\n      lists files');
      expect(help.stdout).toMatch(/Global options:\n {2}--json/);
    }
    expect((await callJson(['--help', '--json'])).document.data.help).toContain('Usage: sample');
  });

  test('help that fits the terminal', async () => {
    const { stdout } = await call(['--help'], { columns: 60 });
    const options = stdout.split('\n').filter((line) => line.startsWith('  '));
    expect(options.every((line) => line.length <= 60)).toBe(true);
  });

  test('the version, as text and as JSON', async () => {
    expect((await call(['--version'])).stdout).toBe('sample 1.2.3\n');
    expect((await callJson(['-V', '--json'])).document.data).toEqual({ name: 'sample', version: '1.2.3' });
  });

  test('a warning with its control characters shown', async () => {
    const { stderr } = await call(['sprite', 'list', '\x1b[2J']);
    expect(stderr).toBe('warning: listing "\\u001b[2J"\n');
  });

  test('no warning under --quiet', async () => {
    expect((await call(['sprite', 'exec', 'demo', '-q', '--', 'x'])).stderr).toBe('');
  });

  test('an interruption as failure with the exit code of the signal', async () => {
    for (const [name, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const signal = AbortSignal.abort(new InterruptedError(name));
      const { exitCode, document } = await callJson(['sprite', 'list', '--json'], { signal });
      expect(exitCode).toBe(code);
      expect(document).toMatchObject({ success: false, error: { details: { signal: name } } });
    }
  });

  test('loads no verb but the one called', async () => {
    const { stderr } = await call(['never']);
    expect(stderr).toContain('a verb was loaded that was not called');
    for (const argv of [['--help'], ['config', '--help'], ['sprite', 'list'], ['nonsense']]) {
      expect((await call(argv)).stderr).not.toContain('was loaded');
    }
  });
});

test('a failure is told on stderr when stdout takes nothing', async () => {
  const io = memoryIo();
  io.stdout.close();
  expect(await runProgram({ ...sample, argv: ['fail', '--json'], io })).toBe(3);
  expect(io.stderr.text()).toStartWith('error: kill: no sprite');
});

test('runProgram() comes to the same where stderr takes nothing: talk is lost, no outcome', async () => {
  const onFullDisk = async (argv: string[]) => {
    const io = memoryIo();
    const write = () => Promise.reject(new WreckitError('INTERNAL', 'output: it cannot be written: ENOSPC'));
    const exitCode = await runProgram({ ...sample, argv, io: { ...io, stderr: { ...io.stderr, write } } });
    return { exitCode, stdout: io.stdout.text() };
  };
  // It warns, then answers.
  expect((await onFullDisk(['sprite', 'exec', 'demo', '--', 'ls'])).stdout).toBe('ran ls\n');
  expect((await onFullDisk(['fail'])).exitCode).toBe(3);
  expect((await onFullDisk(['crash', '--verbose'])).exitCode).toBe(125);
});
