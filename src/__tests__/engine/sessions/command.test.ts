import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '../../../engine/local/sessions/index.ts';
import { type BareContainer, bareContainer } from '../../helpers/bare-container.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { eventually } from '../../helpers/eventually.ts';
import { pathOf, runInSession } from './session-helpers.ts';

let sprite: BareContainer;
beforeAll(async () => {
  sprite = await bareContainer();
});
afterAll(() => sprite[Symbol.asyncDispose]());

async function said(command: string | readonly string[], spec = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runInSession(sprite, command, spec);
  return `${exitCode} ${stdout}${stderr}`.trim();
}

describe('openSession()', () => {
  test('runs a command and tells its exit code', async () => {
    for (const code of [0, 1, 3, 125, 126, 127, 137, 255]) {
      const outcome = await runInSession(sprite, `exit ${code}`);
      expect(outcome).toMatchObject({ exitCode: code, signal: null, timedOut: false });
    }
  });

  test('tells by which signal a command died, as 128+n', async () => {
    for (const [name, code] of Object.entries({ KILL: 137, TERM: 143, SEGV: 139, HUP: 129 })) {
      const outcome = await runInSession(sprite, `kill -${name} $$`);
      expect(outcome).toMatchObject({ exitCode: code, signal: `SIG${name}` });
      expect(outcome.stderr.toString()).toBe('');
    }
  });

  test('survives signals that a command sends to its group', async () => {
    expect(await runInSession(sprite, 'kill -TERM 0')).toMatchObject({ exitCode: 143, signal: 'SIGTERM' });
    expect(await runInSession(sprite, 'kill -USR1 0')).toMatchObject({ exitCode: 138 });
  });

  test('ends a missing program with 127 and one that may not run with 126', async () => {
    expect(await said(['no-such-program'])).toMatch(/^127 .*no-such-program: not found/);
    expect(await said(['/no/such/program'])).toMatch(/^127 .*\/no\/such\/program: (not found|No such file)/);
    expect(await said(['/etc/passwd'])).toMatch(/^126 .*\/etc\/passwd: Permission denied/);
    expect(await said(['/tmp'])).toMatch(/^126 .*(Permission denied|Is a directory)/);
    expect(await said(['-la'])).toBe('127 wisp: -la: not found');
  });

  test('runs programs, never builtins or functions of its shell', async () => {
    expect(await said(['echo', '-n', '\\n', '$HOME', '`id`', "'"])).toBe("0 \\n $HOME `id` '");
    expect(await said(['exit', '3'])).toMatch(/^127 .*exit: not found/);
    expect(await said(['cd', '/'])).toMatch(/^127 .*cd: not found/);
  });

  test('hands over arguments as they are', async () => {
    const odd = ['a b', '', "it's", '"', '$(id)', '\\', '*', 'two\nlines', 'é✓', '--', '-n'];
    const { stdout } = await runInSession(sprite, ['printf', '%s\\0', ...odd]);
    expect(stdout.toString().split('\0').slice(0, -1)).toEqual(odd);
  });

  test('gives the environment, the directory and the user asked for', async () => {
    expect(await said('echo "$A|$B|$HOME|$PWD"; id -u', { env: { A: 'x y', B: 'é\n' } })).toBe(
      '0 x y|é\n|/home/sprite|/home/sprite\n60700',
    );
    expect(await said('id -un; pwd; umask', { user: 'root', dir: '/usr' })).toBe('0 root\n/usr\n0022');
    expect(await said('cat /proc/self/environ', { env: { A: 'x' } })).not.toContain('WISP');
  });

  test('gives a user no capability and nobody new privileges', async () => {
    const status = await said('grep -E "Cap(Prm|Eff|Bnd|Inh|Amb)|NoNewPrivs" /proc/self/status');
    expect(status.match(/0000000000000000/g)).toHaveLength(5);
    expect(status).toMatch(/NoNewPrivs:\s1/);
  });

  test('gives the command three descriptors and the usual signals, nothing else', async () => {
    expect(await said(['ls', '/proc/self/fd'])).toBe('0 0\n1\n2\n3'); // 3 is its own look at the directory
    expect(await said('grep -E "Sig(Blk|Ign)" /proc/self/status')).toMatch(/SigBlk:\s0{16}\nSigIgn:\s0{16}$/);
  });

  test('lets a user open its own output by name', async () => {
    const { stdout, stderr } = await runInSession(sprite, 'echo a >/dev/stdout; echo b >/proc/self/fd/2');
    expect([stdout.toString(), stderr.toString()]).toEqual(['a\n', 'b\n']);
  });

  test('shows no value of the environment in any process list, and leaves none on the disk', async () => {
    const canary = `canary-${Math.random()}`;
    await using session = await openSession(sprite, {
      command: ['/bin/sh', '-c', 'echo up; exec sleep 60'],
      env: { SECRET: canary },
    });
    const lists: string[] = [];
    const look = (): void => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          lists.push(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
        } catch {
          lists.push(''); // It has ended meanwhile.
        }
      }
    };
    look();
    const starting = openSession(sprite, { command: ['true'], env: { SECRET: canary } });
    let isStarted = false;
    void starting.then(() => {
      isStarted = true;
    });
    await eventually(() => {
      look();
      return isStarted;
    });
    await (await starting)[Symbol.asyncDispose]();
    expect(lists.join('\n')).toContain('wisp-session');
    expect(lists.filter((list) => list.includes(canary))).toEqual([]);
    const files = readdirSync(pathOf(sprite, session.id), { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toContain(canary);
    }
  });
});

describe('openSession() refuses', () => {
  async function refusal(spec: object): Promise<string> {
    const before = readdirSync(join(sprite.dir, 'sessions')).length;
    const error = await wreckitErrorOf(() => openSession(sprite, { command: ['true'], ...spec }));
    expect(readdirSync(join(sprite.dir, 'sessions'))).toHaveLength(before);
    return `${error.code} ${error.message}`;
  }

  test('a directory that is not there, and leaves nothing', async () => {
    await runInSession(sprite, ['true']);
    expect(await refusal({ dir: '/no such' })).toBe(
      'SPRITE_EXEC_FAILED exec: directory "/no such": there is no such directory',
    );
    expect(await refusal({ dir: 'here' })).toBe('PATH_INVALID directory: "here" is not an absolute path');
  });

  test('what no program can be given', async () => {
    expect(await refusal({ command: [] })).toMatch(/^USAGE command: there is none/);
    expect(await refusal({ command: [''] })).toMatch(/^USAGE command: there is none/);
    expect(await refusal({ command: ['a', 'b\0c'] })).toMatch(/^USAGE .*NUL/);
    expect(await refusal({ env: { 'a.b': 'x' } })).toMatch(/^USAGE .*"a.b"/);
    expect(await refusal({ env: { OPTIND: 'x' } })).toMatch(/^USAGE .*"OPTIND"/);
    expect(await refusal({ env: { A: 'x\0' } })).toMatch(/^USAGE .*value of A/);
    expect(await refusal({ user: 'nobody' })).toMatch(/^USAGE user: "nobody"/);
    expect(await refusal({ tty: { cols: 0, rows: 24 } })).toMatch(/^USAGE terminal size: 0x24/);
    expect(await refusal({ timeoutMs: 0 })).toMatch(/^USAGE timeout: 0/);
    expect(await refusal({ logCapBytes: 4096 })).toMatch(/^USAGE log cap: 4096/);
  });

  test('arguments beyond what the kernel takes', async () => {
    const megabytes = Array.from({ length: 30 }, () => 'x'.repeat(100_000));
    expect(await refusal({ command: ['echo', 'x'.repeat(200_000)] })).toMatch(/^USAGE .*200001 bytes/);
    expect(await refusal({ command: ['echo', ...megabytes] })).toMatch(/^SPRITE_EXEC_FAILED .*too long/);
    expect((await runInSession(sprite, ['echo', ...megabytes.slice(0, 15)])).stdout).toHaveLength(1_500_015);
  });

  test('to go on when it is aborted, and stops what it started', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    expect(openSession(sprite, { command: ['true'] }, { signal: aborted })).rejects.toThrow('enough');
    const controller = new AbortController();
    const opening = openSession(sprite, { command: ['sleep', '4321'] }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(opening).rejects.toThrow('enough');
    await opening.catch(() => undefined);
    expect(
      (await runInSession(sprite, 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "')).stdout.toString(),
    ).not.toContain('sleep 4321');
  });
});
