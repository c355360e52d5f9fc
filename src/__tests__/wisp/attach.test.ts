import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Session } from '../../contract/schemas.ts';
import { identify } from '../../process/identity.ts';
import { eventually } from '../helpers/eventually.ts';
import { type LocalSprite, localSprite } from '../helpers/local-sprite.ts';
import { isSane, Pty } from './pty.ts';
import { WispProcess, wispArgv } from './wisp-process.ts';

const LIMIT_MS = 60_000;
const DETACH = '\x1c';
let sprite: LocalSprite;
let wisp: WispProcess;

beforeAll(async () => {
  sprite = await localSprite();
  wisp = new WispProcess(sprite.home);
}, LIMIT_MS);
afterAll(async () => await sprite[Symbol.asyncDispose](), LIMIT_MS);

function onTerminal(...args: string[]): Pty {
  return new Pty(wispArgv(...args), { env: { ...wisp.env, TERM: 'xterm-256color' } });
}

async function runningSessions(): Promise<Session[]> {
  return (await sprite.engine.sessions('demo')).filter(({ state }) => state === 'running');
}

/** A session with a terminal that runs `script`; its id. */
async function session(script: string): Promise<string> {
  const { stdout } = await wisp.text(['exec', 'demo', '--tty', '--detach', '--', 'sh', '-c', script]);
  return stdout.trim();
}

async function kill(id: string): Promise<void> {
  await sprite.engine.killSession('demo', id, { name: 'SIGKILL', graceMs: 0 });
}

test(
  'wisp attach opens a login shell, detaches, comes back, and ends with its exit code',
  async () => {
    await using first = onTerminal('attach', 'demo');
    await first.see(/[$#] /);
    first.type('echo "sum $((40+2))"; stty size\r');
    await first.see('sum 42');
    await first.see('24 80');
    first.type(DETACH);
    const left = await first.end();
    expect(left.exitCode).toBe(0);
    expect(isSane(left.settings)).toBe(true);
    const [, id = ''] = /come back: wisp attach demo (\S+)/.exec(first.text) ?? [];
    expect((await runningSessions()).map((running) => running.id)).toContain(id);

    await using second = onTerminal('attach', 'demo', id);
    await second.see('sum 42');
    second.type('exit 7\r');
    const end = await second.end();
    expect(end.exitCode).toBe(7);
    expect(isSane(end.settings)).toBe(true);
  },
  LIMIT_MS,
);

test(
  'wisp attach tells the session each new size',
  async () => {
    const id = await session('trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done');
    await using pty = onTerminal('attach', 'demo', id);
    await pty.see('ready');
    await pty.resize(101, 33);
    await pty.see('33 101');
    await pty.resize(70, 20);
    await pty.see('20 70');
    pty.type(DETACH);
    await pty.end();
    await kill(id);
  },
  LIMIT_MS,
);

const FULL_SCREEN = "printf '\\033[?1049h\\033[?1000h\\033[?2004h\\033[?25lFULL'; sleep 100";
const RESTORED = ['\x1b[?1000l', '\x1b[?2004l', '\x1b[?1049l', '\x1b[?25h', '\x1b[0m'];

for (const [how, leave, code] of [
  ['the detach key', (pty: Pty) => pty.type(DETACH), 0],
  ['SIGTERM', (pty: Pty) => pty.signal('SIGTERM'), 143],
  ['SIGHUP', (pty: Pty) => pty.signal('SIGHUP'), 129],
  ['SIGINT', (pty: Pty) => pty.signal('SIGINT'), 130],
] as const) {
  test(
    `wisp attach gives the terminal back after ${how}, and the session goes on`,
    async () => {
      const id = await session(FULL_SCREEN);
      await using pty = onTerminal('attach', 'demo', id);
      await pty.see('FULL');
      await leave(pty);
      const { exitCode, settings } = await pty.end();
      expect(exitCode).toBe(code);
      expect(isSane(settings)).toBe(true);
      for (const sequence of RESTORED) expect(pty.text).toContain(sequence);
      expect(pty.text.indexOf('\x1b[?1049l')).toBeLessThan(pty.text.indexOf('goes on in demo'));
      // CR LF: the terminal was no longer raw when this was printed.
      expect(pty.text).toMatch(/goes on in demo[^\r\n]*\r\n/);
      expect((await runningSessions()).map((running) => running.id)).toContain(id);
      await kill(id);
    },
    LIMIT_MS,
  );
}

test(
  'wisp attach gives the terminal back when the session is killed, or ends in the middle of it',
  async () => {
    const id = await session(FULL_SCREEN);
    await using pty = onTerminal('attach', 'demo', id);
    await pty.see('FULL');
    await kill(id);
    const { exitCode, settings } = await pty.end();
    expect(exitCode).toBe(137);
    expect(isSane(settings)).toBe(true);
    for (const sequence of RESTORED) expect(pty.text).toContain(sequence);
  },
  LIMIT_MS,
);

test(
  'wisp attach ends when its terminal goes away, and the session goes on',
  async () => {
    const id = await session(FULL_SCREEN);
    const pty = onTerminal('attach', 'demo', id);
    await pty.see('FULL');
    const pid = await pty.pid();
    await pty[Symbol.asyncDispose]();
    await eventually(() => identify(pid) === null, { what: 'the end of wisp' });
    expect((await runningSessions()).map((running) => running.id)).toContain(id);
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach sends a lone Esc, cut characters and pasted control characters at once, and no more',
  async () => {
    const id = await session('stty raw -echo; echo ready; od -An -v -tx1 -w1');
    await using pty = onTerminal('attach', 'demo', id);
    await pty.see('ready');
    const seen = async (hex: string) => await pty.see(new RegExp(hex.match(/../g)?.join('\\s+') ?? ''));
    pty.type('\x1b');
    await seen('1b');
    pty.type(Buffer.from([0xc3]));
    await seen('1bc3');
    pty.type(Buffer.from([0xa9]));
    await seen('1bc3a9');
    pty.type('\x1b[200~a\x1cb\x03\x1b[201~');
    await seen('1b5b3230307e611c62031b5b3230317e');
    pty.type('\x1b[92;5u');
    expect((await pty.end()).exitCode).toBe(0);
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach shows a character that was written in two parts whole',
  async () => {
    const id = await session("printf 'a\\303'; sleep 1; printf '\\251b'; sleep 100");
    await using pty = onTerminal('attach', 'demo', id);
    await pty.see('aéb');
    expect(pty.text).not.toContain('\ufffd');
    pty.type(DETACH);
    await pty.end();
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach serves several viewers; one that only reads sends nothing',
  async () => {
    const id = await session('echo ready; cat');
    await using writer = onTerminal('attach', 'demo', id);
    await using reader = onTerminal('attach', 'demo', '--last', '--read-only');
    await writer.see('ready');
    await reader.see('ready');
    reader.type('from the reader\r');
    writer.type('from the writer\r');
    await reader.see(/from the writer\s+from the writer/);
    expect(reader.text).not.toContain('from the reader');
    reader.type('\x03');
    expect((await reader.end()).exitCode).toBe(0);
    writer.type('\x04');
    expect((await writer.end()).exitCode).toBe(0);
  },
  LIMIT_MS,
);

test(
  'wisp attach draws the screen and goes on without a lost or doubled line, whenever it comes',
  async () => {
    const id = await session('i=0; while :; do echo "n$i."; i=$((i+1)); sleep 0.01; done');
    for (let round = 0; round < 3; round += 1) {
      await using pty = onTerminal('attach', 'demo', id);
      const seen = () => [...pty.text.matchAll(/n(\d+)\./g)].map(([, number]) => Number(number));
      await pty.see(/n\d+\./);
      const first = seen().at(-1) ?? 0;
      await eventually(() => (seen().at(-1) ?? 0) > first + 50, { timeoutMs: 15_000 });
      pty.type(DETACH);
      await pty.end();
      const numbers = seen();
      expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at));
    }
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach brings a full-screen program back with its modes',
  async () => {
    const id = await session(`${FULL_SCREEN}`);
    for (const round of ['first', 'second']) {
      await using pty = onTerminal('attach', 'demo', id);
      await pty.see('FULL');
      for (const mode of ['1049h', '1000h', '2004h', '25l'])
        expect(`${round} ${pty.text}`).toContain(`\x1b[?${mode}`);
      pty.type(DETACH);
      await pty.end();
    }
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach --from goes on without a lost or doubled byte',
  async () => {
    const id = await session('i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; sleep 100');
    await eventually(async () => (await wisp.text(['logs', 'demo', id])).stdout.includes('line 1999'), {
      timeoutMs: 20_000,
    });
    const offset = 5000;
    const all = (await wisp.text(['logs', 'demo', id])).stdout;
    await using pty = onTerminal('attach', 'demo', id, '--from', String(offset));
    await pty.see('line 1999');
    expect(pty.text.startsWith(all.slice(offset))).toBe(true);
    pty.type(DETACH);
    await pty.end();
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach --detach-key takes another key, and Ctrl+\\ goes to the session',
  async () => {
    const id = await session('stty raw -echo; echo ready; od -An -v -tx1 -w1');
    await using pty = onTerminal('attach', 'demo', id, '--detach-key', 'ctrl-]');
    await pty.see('ready');
    pty.type(DETACH);
    await pty.see('1c');
    pty.type('\x1d');
    expect((await pty.end()).exitCode).toBe(0);
    await kill(id);
  },
  LIMIT_MS,
);

test(
  'wisp attach --json says where to go on; sessions without a terminal name logs',
  async () => {
    const id = await session("printf 'caf\\303\\251'; sleep 100");
    await eventually(async () => (await wisp.text(['logs', 'demo', id])).stdout === 'café', {
      timeoutMs: 10_000,
    });
    const { document } = await wisp.json(['attach', 'demo', id]);
    expect(document.data).toMatchObject({
      session: { id, tty: true, state: 'running' },
      output_tail: 'café',
      next_offset: 5,
      connect: ['wisp', 'attach', 'demo', id],
    });
    await kill(id);
    const plain = (await wisp.text(['exec', 'demo', '--detach', '--', 'sleep', '100'])).stdout.trim();
    await using pty = onTerminal('attach', 'demo', plain);
    expect((await pty.end()).exitCode).toBe(1);
    expect(pty.text).toContain(`wisp logs demo ${plain} --follow`);
    await kill(plain);
    const missing = await wisp.json(['attach', 'demo', 'nosuch']);
    expect(missing).toMatchObject({ exitCode: 3, document: { error: { code: 'SESSION_NOT_FOUND' } } });
  },
  LIMIT_MS,
);

test(
  'wisp exec --tty gives a command the terminal and ends with its exit code',
  async () => {
    await using pty = onTerminal(
      'exec',
      'demo',
      '--tty',
      '--',
      'sh',
      '-c',
      'tty; echo "$TERM"; read -r x; echo "got $x"; exit 9',
    );
    await pty.see('xterm-256color');
    pty.type('this\r');
    await pty.see('got this');
    const { exitCode, settings } = await pty.end();
    expect(exitCode).toBe(9);
    expect(isSane(settings)).toBe(true);
  },
  LIMIT_MS,
);
