import { expect } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { runIn, sha256 } from './run-in.ts';
import type { Suite } from './suite.ts';

const MIB = 1024 * 1024;

export function commandTests({ check, has, shared }: Suite): void {
  check('runs a command: exit code, streams, directory, environment', [], async (subject) => {
    const script = 'pwd; printf "%s" "$GREETING"; echo err >&2; exit 3';
    const env = { GREETING: 'a "b"\n$c', LANG: 'C' };
    const { exitCode, stdout, stderr, timedOut } = await runIn(subject, shared, script, { dir: '/tmp', env });
    expect([exitCode, timedOut, stderr.toString()]).toEqual([3, false, 'err\n']);
    expect(stdout.toString()).toEndWith('/tmp\na "b"\n$c');
  });

  check(
    'tells how a command ended: by itself, by a signal, not found, not executable',
    [],
    async (subject) => {
      const codeOf = async (command: string | string[]) => (await runIn(subject, shared, command)).exitCode;
      expect(await codeOf(['true'])).toBe(0);
      expect(await codeOf(['false'])).toBe(1);
      expect(await codeOf('exit 125')).toBe(125);
      expect(await codeOf('exit 255')).toBe(255);
      expect(await codeOf('kill -9 $$')).toBe(137);
      expect(await codeOf('kill -TERM $$')).toBe(143);
      expect(await codeOf(['no-such-program'])).toBe(127);
    },
  );

  check('passes arguments as they are', [], async (subject) => {
    const words = [
      '-la',
      '--json',
      '--',
      '',
      'a b',
      '$HOME',
      '*',
      'ünï',
      "it's",
      '"',
      '\\',
      'a&b=c?d#e%20f+g',
      'line\nbreak',
    ];
    const { stdout } = await runIn(subject, shared, ['printf', '%s|', ...words]);
    expect(stdout.toString()).toBe(`${words.join('|')}|`);
  });

  check('carries every byte of the output, and much of it', [], async (subject) => {
    const { stdout: all } = await runIn(
      subject,
      shared,
      'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done',
    );
    expect([...all]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    const big = await runIn(subject, shared, `head -c ${5 * MIB} /dev/zero; head -c ${MIB} /dev/zero >&2`);
    expect([big.stdout.length, big.stderr.length]).toEqual([5 * MIB, MIB]);
    expect(sha256(big.stdout)).toBe(sha256(Buffer.alloc(5 * MIB)));
  });

  check('feeds input to its end; without input there is none', [], async (subject) => {
    const bytes = randomBytes(3 * MIB);
    const { stdout } = await runIn(subject, shared, ['cat'], { stdin: bytes });
    expect(sha256(stdout)).toBe(sha256(bytes));
    expect((await runIn(subject, shared, 'wc -c', { stdin: Buffer.alloc(0) })).stdout.toString().trim()).toBe(
      '0',
    );
    expect((await runIn(subject, shared, 'wc -c')).stdout.toString().trim()).toBe('0');
  });

  check('ends a command that reads no more of its input', [], async (subject) => {
    const { exitCode, stdout } = await runIn(subject, shared, 'head -c 3; exit 4', {
      stdin: randomBytes(2 * MIB),
    });
    expect([exitCode, stdout.length]).toEqual([4, 3]);
  });

  check('ends a command at its time limit and says so', [], async (subject) => {
    const { timedOut, exitCode, stdout } = await runIn(subject, shared, 'echo begun; sleep 60', {
      timeoutMs: 1000,
    });
    expect([timedOut, exitCode === 0, stdout.toString()]).toEqual([true, false, 'begun\n']);
  });

  check('runs as an ordinary user, or as root of the sprite', ['root'], async (subject) => {
    const name = async (user?: string) =>
      (await runIn(subject, shared, ['id', '-un'], { user })).stdout.toString().trim();
    expect([await name(), await name('root')]).toEqual(['sprite', 'root']);
  });

  check(
    'gives a sprite variables of its own, which a command may change',
    ['sprite-env'],
    async (subject) => {
      const { engine } = subject;
      await engine.start({ name: 'with-env', env: { A: 'one', B: 'two' } });
      const { stdout } = await runIn(subject, 'with-env', 'echo $A $B', { env: { B: 'changed' } });
      expect(stdout.toString()).toBe('one changed\n');
      await engine.kill('with-env');
    },
  );

  check('runs many commands at once without mixing them up', [], async (subject) => {
    const runs = Array.from({ length: 8 }, (_, index) =>
      runIn(subject, shared, `echo ${index}; exit ${index}`),
    );
    const results = await Promise.all(runs);
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout.toString()])).toEqual(
      results.map((_, index) => [index, `${index}\n`]),
    );
  });

  check(
    'has a terminal where one is asked for: size, keys, resize, exit code',
    ['terminal'],
    async ({ engine }) => {
      const script = 'stty -echo; stty size; read line; stty size; echo "got $line"; test -t 0 && exit 5';
      const tty = { cols: 81, rows: 23 };
      await using handle = await engine.openSession(shared, { command: ['sh', '-c', script], tty });
      let shown = '';
      const reading = (async () => {
        for await (const { bytes } of handle.output({ follow: true })) shown += Buffer.from(bytes).toString();
      })();
      while (!shown.includes('23 81')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.resize({ cols: 100, rows: 40 });
      await handle.write(Buffer.from('word\r'));
      await reading;
      expect((await handle.exit()).exitCode).toBe(5);
      expect(shown.replaceAll('\r', '')).toContain('40 100\ngot word\n');
      expect(handle.tty).toBe(true);
    },
  );

  if (has('live-input')) {
    check('answers while it runs: input and output take turns', ['live-input'], async ({ engine }) => {
      await using handle = await engine.openSession(shared, { command: ['cat'], stdin: true });
      const chunks = handle.output({ follow: true })[Symbol.asyncIterator]();
      for (const word of ['one', 'two', 'three']) {
        expect(await handle.write(Buffer.from(word))).toBe(true);
        const next = await chunks.next();
        expect(next.done === true ? null : Buffer.from(next.value.bytes).toString()).toBe(word);
      }
      await handle.closeStdin();
      expect((await chunks.next()).done).toBe(true);
      expect((await handle.exit()).exitCode).toBe(0);
    });
  }
}
