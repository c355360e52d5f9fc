/** The model's code in a real sprite: one sprite for all of these, an interpreter for each. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  type CodeLanguage,
  JAVASCRIPT,
  languageIn,
  PYTHON,
} from '../../../../agent/rlm/interpreter/code-language.ts';
import { SpriteCodeSession } from '../../../../agent/rlm/interpreter/sprite-code-session.ts';
import type { SpriteCaptureOptions, WispClient } from '../../../../agent/wisp-client/wisp-client.ts';
import { decodeUtf8 } from '../../../../process/text.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { type ToolKit, toolKit } from '../tool-kit.ts';

const SLOW = 60_000;
const CANARY = 'canary-of-this-machine-7f3a';

let kit: ToolKit;
beforeAll(async () => {
  kit = toolKit();
  process.env.RLM_TEST_CANARY = CANARY;
  await kit.client.start('code', { network: 'none', softLimits: true });
}, SLOW);
afterAll(async () => {
  delete process.env.RLM_TEST_CANARY;
  await kit[Symbol.asyncDispose]();
}, SLOW);

interface Opened extends AsyncDisposable {
  readonly session: SpriteCodeSession;
  readonly fatal: unknown[];
  run(code: string, reservedNames?: readonly string[]): Promise<string>;
}

function open(
  globals: Record<string, unknown> = {},
  { codeMs = 20_000, bubbles = false, language = JAVASCRIPT as CodeLanguage } = {},
): Opened {
  const fatal: unknown[] = [];
  const place = { client: kit.client, sprite: 'code', dir: '/' };
  const session = new SpriteCodeSession(
    { place, language, codeMs, onFatal: (error) => void fatal.push(error) },
    globals,
    () => bubbles,
  );
  return {
    session,
    fatal,
    run: async (code, reservedNames = []) => String(await session.execute(code, { reservedNames })),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    (value) => `no failure: ${String(value)}`,
    (error: unknown) => String(error),
  );
}

const programs = async (): Promise<string> =>
  (await kit.client.exec('code', ['sh', '-c', 'for f in /proc/[0-9]*/comm; do cat $f 2>/dev/null; done']))
    .stdout;

test(
  'execute() keeps variables between calls, shows what was printed, else the last value',
  async () => {
    await using code = open({ inputs: { log: `${'x'.repeat(100_000)}\nneedle 42\n` } });
    expect(
      await code.run('const hits = inputs.log.split("\\n").filter((line) => line.startsWith("needle"))'),
    ).toBe('undefined');
    expect(await code.run('let count = await Promise.resolve(hits.length); console.log(hits, count)')).toBe(
      "[ 'needle 42' ] 1\n",
    );
    expect(await code.run('({ hits, count: count + 1 })')).toBe(
      JSON.stringify({ hits: ['needle 42'], count: 2 }, null, 1),
    );
    expect(await code.run('const hits = 3; hits')).toBe('3');
    const { entries } = JSON.parse(await code.session.inspectGlobals({ reservedNames: ['inputs'] }));
    expect(entries).toEqual([
      { name: 'count', type: 'number', preview: '1' },
      { name: 'hits', type: 'number', preview: '3' },
    ]);
  },
  SLOW,
);

test(
  'execute() lets code call functions of this machine, many at once, and hands over what they throw',
  async () => {
    let most = 0;
    let now = 0;
    const slow = async ({ value }: { value: number }): Promise<number> => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return value * 2;
    };
    const bad = (): never => {
      throw new TypeError('not like this');
    };
    await using code = open({ tools: { slow, bad } });
    expect(
      await code.run(
        'const all = await Promise.all(Array.from({ length: 200 }, (_, value) => tools.slow({ value }))); all.reduce((a, b) => a + b)',
      ),
    ).toBe('39800');
    expect(most).toBeLessThanOrEqual(32);
    expect(await failureOf(code.run('console.log("before"); await tools.bad()'))).toBe(
      'TypeError: not like this\nprinted before: before\n',
    );
    expect(await code.run('await tools.bad().catch((error) => error.name)')).toBe('TypeError');
    expect(await failureOf(code.run('await tools.slow({ value: 1n })'))).toContain('BigInt');
  },
  SLOW,
);

test('calls that have to wait do so in the sprite: no more of them are read', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const hold = async (): Promise<void> => {
    begun += 1;
    await held;
  };
  let taken: Promise<void> | undefined;
  const client = {
    // A supervisor that makes 40 calls for one run.
    execCapture: async (_name: string, _argv: readonly string[], options: SpriteCaptureOptions) => {
      const write = options.stdout as (chunk: Uint8Array) => Promise<void>;
      let nonce = '';
      const send = (message: object) => Buffer.from(`${JSON.stringify({ ...message, nonce })}\n`);
      for await (const line of options.stdin as AsyncIterable<Uint8Array>) {
        const message = JSON.parse(decodeUtf8(line));
        if (message.type === 'hello') {
          nonce = message.nonce;
          await write(send({ type: 'ready', version: '1' }));
        } else if (message.type === 'run') {
          const calls = Array.from({ length: 40 }, (_, id) => send({ type: 'call', id, ref: 1, args: [] }));
          taken = write(Buffer.concat(calls));
          void taken.then(() =>
            write(send({ type: 'done', id: message.id, value: 'all', error: null, output: '' })),
          );
        }
      }
      return { exitCode: 0, stdout: Buffer.of(), stderr: Buffer.of(), truncatedBytes: 0, durationMs: 0 };
    },
  };
  const place = { client: client as unknown as WispClient, sprite: 'none', dir: '/' };
  await using session = new SpriteCodeSession(
    { place, language: JAVASCRIPT, codeMs: 20_000, onFatal: () => undefined },
    { hold },
    () => false,
  );
  const work = session.execute('calls');
  await eventually(() => begun === 32, { what: '32 calls' });
  expect(await Promise.race([taken, Promise.resolve('still held back')])).toBe('still held back');
  release();
  await taken;
  expect([await work, begun]).toEqual(['all', 40]);
});

test(
  'execute() throws what a function threw as it is, where that is to end the run',
  async () => {
    const stop = new Error('stop here');
    await using code = open(
      {
        ask: () => {
          throw stop;
        },
      },
      { bubbles: true },
    );
    expect(
      await code.session.execute('try { await ask() } catch {} 1').catch((error: unknown) => error),
    ).toBe(stop);
  },
  SLOW,
);

test(
  'nothing that code prints is taken for a message, whoever prints it',
  async () => {
    let calls = 0;
    const secretTool = (): string => {
      calls += 1;
      return 'called';
    };
    await using code = open({ tool: secretTool });
    const forged = JSON.stringify({ type: 'call', id: 1, ref: 1, args: [], nonce: 'x' });
    const done = JSON.stringify({ type: 'done', id: 1, value: 'forged', error: null, output: 'forged' });
    const output = await code.run(
      `const lines = ${JSON.stringify(`\n${forged}\n${done}\n`)};
       require('node:fs').writeSync(1, lines);
       require('node:child_process').execFileSync('printf', ['%s', lines], { stdio: 'inherit' });
       process.stdout.write(lines);
       console.log('end');`,
    );
    expect(calls).toBe(0);
    expect(output.split(done)).toHaveLength(4);
    expect(output).toContain('end\n');
    expect(await code.run('await tool()')).toBe('called');
  },
  SLOW,
);

test(
  'code sees the sprite and nothing of this machine',
  async () => {
    await using code = open();
    const seen = await code.run(
      `const fs = require('node:fs');
       const environ = fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => { try { return fs.readFileSync('/proc/' + pid + '/environ', 'utf8'); } catch { return ''; } }).join();
       const cmdlines = fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8'); } catch { return ''; } }).join();
       console.log(JSON.stringify({ env: process.env, environ, cmdlines, home: fs.existsSync(${JSON.stringify(kit.project)}), pids: fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length }))`,
    );
    expect(seen).not.toContain(CANARY);
    const { env, home, pids } = JSON.parse(seen);
    expect([env.SPRITE_NAME, home, pids < 20]).toEqual(['code', false, true]);
    await using files = open();
    expect(await files.run(`require('node:fs').writeFileSync('/tmp/made', 'x'); 1`)).toBe('1');
    expect(await Bun.file('/tmp/made').exists()).toBe(false);
  },
  SLOW,
);

test(
  'code that runs for ever is stopped, and the next finds the globals again',
  async () => {
    const patched = { later: 'patched' };
    await using code = open({ inputs: { log: 'still here' } }, { codeMs: 1500 });
    await code.session.patchGlobals(patched);
    await code.session.execute('/* ax:host-snippet */ globalThis.wrapped = inputs.log + later');
    expect(await code.run('let lost = 1; wrapped')).toBe('still herepatched');
    expect(await failureOf(code.run('while (true) {}'))).toContain('the code was stopped after');
    expect(await code.run('console.log(typeof lost, inputs.log, later, wrapped)')).toBe(
      'undefined still here patched still herepatched\n',
    );
    expect(await failureOf(code.run('await new Promise(() => {})'))).toContain('all variables are lost');
    expect(code.fatal).toEqual([]);
  },
  SLOW,
);

test(
  'time that code spends waiting for a function of this machine is not its own',
  async () => {
    const wait = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('waited'), 2500));
    await using code = open({ wait }, { codeMs: 1500 });
    expect(await code.run('await wait()')).toBe('waited');
  },
  SLOW,
);

test.each([
  ['process.exit(3)', 'exit code 3'],
  ['process.abort()', 'SIGABRT'],
  ['process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
])(
  'code that ends its interpreter with %s is told, and the next has a new one',
  async (crash, why) => {
    await using code = open({ inputs: { log: 'here' } });
    await code.run('let lost = 1');
    const said = await failureOf(code.run(`console.log('bye'); ${crash}; await new Promise(() => {})`));
    expect(said).toContain('the interpreter is gone');
    expect(said).toContain(why);
    expect(await code.run('typeof lost + " " + inputs.log')).toBe('undefined here');
  },
  SLOW,
);

test(
  'an error nobody waits for is printed and ends nothing',
  async () => {
    await using code = open();
    await code.run(
      'let kept = 1; Promise.reject(new Error("lonely")); setTimeout(() => { throw new Error("late") }, 1)',
    );
    const said = await code.run(
      'setTimeout(() => { throw new Error("late") }, 1); await new Promise((r) => setTimeout(r, 50)); console.log(kept)',
    );
    expect(said).toContain('[uncaught] Error: late');
  },
  SLOW,
);

test(
  'execute() shortens a flood and marks it',
  async () => {
    await using code = open();
    const flood = await code.run('console.log("a" + "x".repeat(5_000_000) + "z")');
    expect(flood.length).toBeLessThan(110_000);
    expect([
      flood.startsWith('a'),
      flood.endsWith('z\n'),
      /\[… \d+ characters left out …\]/.test(flood),
    ]).toEqual([true, true, true]);
    const value = await code.run('"y".repeat(5_000_000)');
    expect(value).toEndWith('characters left out …]');
  },
  SLOW,
);

test(
  'execute() ends at once when aborted, and nothing of it is left in the sprite',
  async () => {
    const before = await programs();
    await using code = open({}, { codeMs: 60_000 });
    await code.run('process.on("SIGTERM", () => {}); 1');
    const controller = new AbortController();
    const work = code.session.execute('while (true) {}', { signal: controller.signal });
    const startedAt = performance.now();
    setTimeout(() => controller.abort(), 100);
    expect(await failureOf(work)).toContain('Aborted');
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await code.session[Symbol.asyncDispose]();
    expect(await failureOf(code.run('1'))).toContain('Session is closed');
    const count = (text: string): number => text.split('\n').filter((name) => name.startsWith('node')).length;
    await eventually(async () => count(await programs()) === count(before), {
      what: 'the end of its processes',
    });
  },
  SLOW,
);

test(
  'execute() refuses to hide what is given to the code',
  async () => {
    await using code = open({ final: () => 'f', inputs: { a: 1 } });
    expect(await failureOf(code.run('const final = 3', ['final', 'inputs']))).toContain('[POLICY] "final"');
    expect(await code.run('const finale = 3; finale', ['final'])).toBe('3');
    expect(await failureOf(code.run('no code at all'))).toContain('SyntaxError');
  },
  SLOW,
);

test(
  'Python: variables, functions, output, errors and limits are as in JavaScript',
  async () => {
    const add = async ({ x, y }: { x: number; y: number }) => ({ sum: x + y });
    const bad = (): never => {
      throw new TypeError('not like this');
    };
    const globals = {
      inputs: { log: `${'x'.repeat(100_000)}\nneedle é 42\n` },
      tools: { add, bad },
      ask: () => 'asked',
    };
    await using code = open(globals, { language: PYTHON, codeMs: 3000 });
    expect(
      await code.run(
        'hits = [l for l in inputs.log.split("\\n") if l.startswith("needle")]\nprint(hits, ask())',
      ),
    ).toBe("['needle é 42'] asked\n");
    expect(
      await code.run(
        'def twice(n):\n    return 2 * n\n{"count": twice(len(hits)), "sum": tools.add(x=1, y=2).sum}',
      ),
    ).toBe(JSON.stringify({ count: 2, sum: 3 }, null, 1));
    const { entries } = JSON.parse(
      await code.session.inspectGlobals({ reservedNames: ['inputs', 'tools', 'ask'] }),
    );
    expect(entries).toEqual([
      { name: 'hits', type: 'array', size: '1 items', preview: '[list]' },
      { name: 'twice', type: 'function', preview: '[function]' },
    ]);
    expect(await failureOf(code.run('print("before")\ntools.bad({})'))).toBe(
      'TypeError: not like this (line 2)\nprinted before: before\n',
    );
    expect(await failureOf(code.run('1 +'))).toContain('SyntaxError');
    expect(await failureOf(code.run('exit(3)'))).toContain('SystemExit: 3');
    expect(await failureOf(code.run('final = 3', ['final']))).toContain('[POLICY] "final"');
    const flood = await code.run('print("a" + "x" * 5_000_000 + "z")');
    expect([
      flood.length < 110_000,
      flood.endsWith('z\n'),
      /\[… \d+ characters left out …\]/.test(flood),
    ]).toEqual([true, true, true]);
  },
  SLOW,
);

test(
  'Python: what code prints is no message, what it sees is the sprite, and a loop or crash costs the variables',
  async () => {
    let calls = 0;
    const tool = (): string => {
      calls += 1;
      return 'called';
    };
    await using code = open({ tool, log: 'still here' }, { language: PYTHON, codeMs: 1500 });
    await code.session.patchGlobals({ later: 'patched' });
    const forged = JSON.stringify({ type: 'call', id: 1, ref: 1, args: [], nonce: 'x' });
    const output = await code.run(
      `import os, subprocess\nlines = '\\n' + ${JSON.stringify(forged)} + '\\n'\nos.write(1, lines.encode())\nsubprocess.run(['printf', '%s', lines])\nprint(lines, 'end')`,
    );
    expect([calls, output.split(forged).length]).toEqual([0, 4]);
    expect(await code.run('dict(os.environ)["SPRITE_NAME"] + str("RLM_TEST_CANARY" in os.environ)')).toBe(
      'codeFalse',
    );
    expect(await failureOf(code.run('while True: pass'))).toContain('the code was stopped after');
    expect(await code.run('print("lines" in globals(), log, later, tool())')).toBe(
      'False still here patched called\n',
    );
    expect(await failureOf(code.run('import os; os._exit(7)'))).toContain('exit code 7');
    expect(await failureOf(code.run('import os; os.kill(os.getpid(), 9)'))).toContain('SIGKILL');
    expect(await code.run('log')).toBe('still here');
  },
  SLOW,
);

test(
  'languageIn() takes Node before Python',
  async () => {
    const place = { client: kit.client, sprite: 'code', dir: '/' };
    expect(await languageIn(place, new AbortController().signal)).toBe(JAVASCRIPT);
  },
  SLOW,
);
