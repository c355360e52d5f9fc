import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AgentEvent, AgentResult } from '../../agent/agent-events.ts';
import type { AgentRunOptions } from '../../agent/agent-options.ts';
import type { CommandHost, CommandRequest } from '../../agent/command-host.ts';
import { machineHost } from '../../agent/machine-host.ts';
import { runAgentUnion } from '../../agent/runner.ts';
import { identify } from '../../process/identity.ts';
import type { AgentConfigUnion } from '../../schemas.ts';
import { eventually } from '../helpers/eventually.ts';
import { fixtureBin } from '../helpers/fixtures.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

const PROMPT = 'Fix the failing test. When you are done, print TASK-COMPLETE on a line.';
const SIGNAL = 'TASK-COMPLETE';

function recording(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/recorded/${name}.jsonl`, import.meta.url));
}

interface Ran {
  result: AgentResult;
  events: AgentEvent[];
}

async function runIn(
  dir: TempDir,
  config: AgentConfigUnion,
  options: Partial<AgentRunOptions> = {},
): Promise<Ran> {
  const events: AgentEvent[] = [];
  const result = await runAgentUnion({
    config,
    cwd: dir.path,
    prompt: PROMPT,
    timeoutSeconds: 20,
    sourceEnv: { PATH: `${dir.path}:${process.env.PATH}`, HOME: dir.path },
    onAgentEvent: (event) => void events.push(event),
    ...options,
  });
  return { result, events };
}

function fake(...args: string[]): AgentConfigUnion & { kind: 'process' } {
  return { kind: 'process', command: fixtureBin('fake-agent'), args };
}

/** Of a kind with a program of its own: the fake agent under that program's name. */
function fakeProgram(dir: TempDir, kind: keyof typeof PROGRAMS, ...mode: string[]): AgentConfigUnion {
  symlinkSync(fixtureBin('fake-agent'), dir.join(PROGRAMS[kind]));
  return { kind, env: { FAKE_AGENT: mode.join('\n'), FAKE_AGENT_RECORD: dir.path } };
}

const PROGRAMS = {
  claude_sdk: 'claude',
  codex_sdk: 'codex',
  opencode_sdk: 'opencode',
  amp_sdk: 'amp',
} as const;
const KINDS = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];

describe('runAgentUnion() of kind process', () => {
  test('runs in the directory given, with the prompt on stdin and only what it needs of the environment', async () => {
    using dir = tempDir();
    const config = { ...fake('say', 'hello'), env: { FAKE_AGENT_RECORD: dir.path, OWN: 'yes' } };
    const sourceEnv = {
      PATH: process.env.PATH,
      HOME: '/h',
      SPRITES_TOKEN: 'canary',
      AWS_SECRET_ACCESS_KEY: 'canary',
    };
    const { result } = await runIn(dir, config, { sourceEnv, itemId: '001' });
    expect(result).toMatchObject({
      success: true,
      outcome: 'completed',
      output: 'hello\n',
      exitCode: 0,
      message: null,
    });
    expect(readFileSync(dir.join('stdin'), 'utf8')).toBe(PROMPT);
    expect(readFileSync(dir.join('cwd'), 'utf8').trim()).toBe(dir.path);
    const env = readFileSync(dir.join('env'), 'utf8');
    expect(env).toContain('OWN=yes');
    expect(env).toContain('WRECKIT_ITEM_ID=001');
    expect(env).not.toContain('canary');
  });

  test('hands the prompt over as a file of mode 0600 that is gone afterwards', async () => {
    using dir = tempDir();
    const program = dir.join('agent');
    writeFileSync(program, '#!/bin/sh\nstat -c %a "$1"; echo "$1"; cat "$1"\n', { mode: 0o755 });
    const { result } = await runIn(dir, { kind: 'process', command: program, args: ['{prompt_file}'] });
    const [mode, path, text] = result.output.split('\n');
    expect({ mode, text }).toEqual({ mode: '600', text: PROMPT });
    expect(existsSync(path ?? '')).toBe(false);
  });

  test.each([
    ['says it', ['claim', `It is fixed.\n${SIGNAL}`], true],
    ['says it and ends with an exit code', ['say', SIGNAL, '3'], true],
    ['echoes the prompt that names it', ['echo'], false],
    ['says it on stderr only', ['signal-err', SIGNAL], false],
    ['says something else', ['say', 'It is fixed.'], false],
  ])('goes by the completion signal: an agent that %s', async (_name, args, success) => {
    using dir = tempDir();
    const { result } = await runIn(dir, { ...fake(...args), completion_signal: SIGNAL });
    expect(result).toMatchObject({
      success,
      completionDetected: success,
      outcome: success ? 'completed' : 'failed',
    });
  });

  test('goes by exit 0 where no signal is configured', async () => {
    using dir = tempDir();
    expect((await runIn(dir, fake('say', 'done', '0'))).result).toMatchObject({ success: true, exitCode: 0 });
    const { result } = await runIn(dir, fake('say', 'done', '4'));
    expect(result).toMatchObject({ success: false, outcome: 'failed', exitCode: 4, output: 'done\n' });
  });

  test('goes by the result of a known stream, whatever the exit code', async () => {
    using dir = tempDir();
    const good = await runIn(dir, fake('replay', recording('claude-ok'), '1'));
    expect(good.result).toMatchObject({
      success: true,
      output: 'All done: wrote hello.txt',
      costUsd: 0.0012000000000000001,
    });
    const bad = await runIn(dir, fake('replay', recording('claude-http-401'), '0'));
    expect(bad.result).toMatchObject({
      success: false,
      outcome: 'failed',
      message: expect.stringContaining('401'),
    });
  });

  test('an agent that crashes has failed, with what it complained of', async () => {
    using dir = tempDir();
    const { result, events } = await runIn(dir, fake('crash'));
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 3, output: 'working on it\n' });
    expect(result.message).toEndWith('fake-agent ended with exit 3: fake-agent: boom');
    expect(events.at(-1)).toMatchObject({ type: 'run_result', outcome: 'failed', exitCode: 3 });
  });

  test('keeps the agent’s own keys out of the message', async () => {
    using dir = tempDir();
    const config = {
      ...fake('signal-err', 'bad key canary-key-123'),
      env: { OPENAI_API_KEY: 'canary-key-123' },
    };
    const { result } = await runIn(dir, { ...config, completion_signal: SIGNAL });
    expect(result.message).toContain('bad key [redacted]');
  });

  test.each([
    ['is missing', 'no-such-agent-program', 127, 'it is not on PATH'],
    ['is not executable', './plain', 126, 'it is not an executable file'],
    ['is a directory', '/', 126, 'it is not an executable file'],
  ])('an agent that %s has failed, and it says what to do', async (_name, command, exitCode, message) => {
    using dir = tempDir();
    writeFileSync(dir.join('plain'), 'text');
    chmodSync(dir.join('plain'), 0o644);
    const { result } = await runIn(dir, { kind: 'process', command, args: [] });
    expect(result).toMatchObject({ outcome: 'failed', exitCode, message: expect.stringContaining(message) });
    expect(result.hint).toContain('agent.command');
  });

  test.each(['hang', 'flood', 'ignore-term', 'grandchild'])(
    'an agent that does "%s" is timed out in time',
    async (mode) => {
      using dir = tempDir();
      const seen: string[] = [];
      const sourceEnv = { PATH: process.env.PATH };
      const { result } = await runIn(dir, fake(mode), {
        timeoutSeconds: 0.5,
        host: machineHost({ cwd: dir.path, sourceEnv, graceMs: 500 }),
        onStdoutChunk: (text) => void (seen.length < 3 && seen.push(text)),
      });
      expect(result).toMatchObject({ outcome: 'timed_out', timedOut: true, success: false });
      expect(result.durationMs).toBeLessThan(5000);
      if (mode === 'grandchild') {
        const pid = Number(seen.join('').trim());
        await eventually(() => identify(pid) === null, { what: 'the grandchild to be gone' });
      }
    },
  );

  test('an agent that is aborted says so and is gone', async () => {
    using dir = tempDir();
    const abort = new AbortController();
    let pid = 0;
    const config: AgentConfigUnion = {
      kind: 'process',
      command: 'sh',
      args: ['-c', 'echo $$; exec sleep 600'],
    };
    const { result } = await runIn(dir, config, {
      signal: abort.signal,
      onStdoutChunk: (text) => {
        pid = Number(text);
        abort.abort();
      },
    });
    expect(result).toMatchObject({ outcome: 'aborted', success: false, timedOut: false, exitCode: null });
    expect(identify(pid)).toBeNull();
  });

  test('an agent that never reads its prompt is none the worse', async () => {
    using dir = tempDir();
    const { result } = await runIn(dir, fake('deaf', 'hello'), { prompt: 'x'.repeat(1024 * 1024) });
    expect(result).toMatchObject({ success: true, output: 'hello\n' });
  });

  test('a prompt too long for an argument fails with the reason', async () => {
    using dir = tempDir();
    const { result } = await runIn(dir, fake('say', '{prompt}'), { prompt: 'x'.repeat(200_000) });
    expect(result).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('longer than the system takes'),
    });
  });

  test('ends the agent and rejects when a callback throws', async () => {
    using dir = tempDir();
    const running = runIn(dir, fake('flood'), {
      onStdoutChunk: () => {
        throw new Error('callback broke');
      },
    });
    await expect(running).rejects.toThrow('callback broke');
  });

  test('caps the output it keeps', async () => {
    using dir = tempDir();
    const config = { kind: 'process', command: 'head', args: ['-c', '3000000', '/dev/zero'] } as const;
    const { result } = await runIn(dir, { ...config, args: [...config.args] });
    expect(result.output.length).toBeLessThan(1_100_000);
    expect(result.output).toContain('bytes dropped');
  });
});

describe.each(KINDS)('runAgentUnion() of kind %s', (kind) => {
  const name = PROGRAMS[kind];

  test('runs the program with the prompt on stdin and reports what it did', async () => {
    using dir = tempDir();
    const { result, events } = await runIn(dir, fakeProgram(dir, kind, 'replay', recording(`${name}-ok`)));
    expect(result).toMatchObject({
      success: true,
      completionDetected: true,
      output: 'All done: wrote hello.txt',
    });
    expect(result.sessionId).not.toBeNull();
    expect(events.map((event) => event.type).filter((type) => type !== 'error')).toEqual([
      'assistant_text',
      'tool_started',
      'tool_result',
      'assistant_text',
      'run_result',
    ]);
    expect(readFileSync(dir.join('stdin'), 'utf8')).toBe(PROMPT);
    expect(readFileSync(dir.join('argv'), 'utf8')).not.toContain(PROMPT);
  });

  test('is a failure when the model refused, although the program ended with 0', async () => {
    using dir = tempDir();
    const { result } = await runIn(dir, fakeProgram(dir, kind, 'replay', recording(`${name}-http-401`), '0'));
    expect(result).toMatchObject({
      success: false,
      outcome: 'failed',
      exitCode: 0,
      completionDetected: false,
    });
  });

  test('is a failure when the output breaks off in mid-line, although the program ended with 0', async () => {
    using dir = tempDir();
    const { result, events } = await runIn(dir, fakeProgram(dir, kind, 'half', recording(`${name}-ok`)));
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 0 });
    expect(result.message).toContain('without a result of the agent');
    expect(events.some((event) => event.type === 'error' && event.message.includes('not JSON'))).toBe(true);
  });

  test('is a failure when the program says nothing, or dies', async () => {
    using dir = tempDir();
    const { result } = await runIn(dir, fakeProgram(dir, kind, 'crash'));
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 3 });
    expect(result.message).toContain('fake-agent: boom');
  });

  test('says how to install the program where it is missing', async () => {
    using dir = tempDir();
    const { result } = await runIn(dir, { kind }, { sourceEnv: { PATH: dir.path } });
    expect(result).toMatchObject({
      outcome: 'failed',
      exitCode: 127,
      hint: expect.stringContaining('npm install -g'),
    });
  });
});

describe('runAgentUnion()', () => {
  test.each([
    ['an empty prompt', { prompt: ' \n' }],
    ['a timeout of 0', { timeoutSeconds: 0 }],
    ['a timeout that is no number', { timeoutSeconds: Number.NaN }],
  ])('refuses %s', async (_name, options) => {
    using dir = tempDir();
    expect(runIn(dir, fake('say', 'x'), options)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('refuses a kind that there is not', async () => {
    using dir = tempDir();
    const config = { kind: 'nope' } as unknown as AgentConfigUnion;
    expect(runIn(dir, config)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(runIn(dir, config, { dryRun: true })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test.each(['dryRun', 'mockAgent'] as const)(
    'with %s starts nothing and says what it would',
    async (option) => {
      using dir = tempDir();
      const config = { ...fakeProgram(dir, 'claude_sdk', 'crash'), model: 'sonnet' } as AgentConfigUnion;
      const mcpServers = { s: { command: 'x', env: { KEY: 'canary' } } };
      const { result, events } = await runIn(dir, config, {
        [option]: true,
        mcpServers,
        prompt: 'canary prompt',
      });
      expect(existsSync(dir.join('argv'))).toBe(false);
      expect(result).toMatchObject({
        success: true,
        outcome: 'completed',
        completionDetected: option === 'mockAgent',
      });
      expect(result.output).toStartWith('would run claude -p --output-format stream-json');
      expect(result.output).toContain('--model sonnet');
      expect(result.output).toContain('with a prompt of 13 characters, for at most 20 s');
      expect(result.output).not.toContain('canary');
      expect(result.output).not.toContain('\0');
      expect(events.map((event) => event.type)).toEqual(['assistant_text', 'run_result']);
    },
  );

  test('with dryRun refuses what the run would refuse', async () => {
    using dir = tempDir();
    const running = runIn(dir, { kind: 'codex_sdk' }, { dryRun: true, allowedTools: ['x'] });
    expect(running).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { option: 'allowedTools' } });
  });

  test('tells what a sprite agent would do without starting one', async () => {
    using dir = tempDir();
    const { SpriteAgentSchema } = await import('../../schemas.ts');
    const config = SpriteAgentSchema.parse({ kind: 'sprite', agent: { kind: 'amp_sdk' }, vmName: 'demo' });
    const { result } = await runIn(dir, config, { dryRun: true });
    expect(result.output).toStartWith(
      'would run Amp in the sprite "demo" (512MiB, 1 CPUs, keep: on-failure, land: branch)',
    );
  });

  test('hands one and the same invocation to whatever place it is to run in', async () => {
    using dir = tempDir();
    const requests: CommandRequest[] = [];
    const host: CommandHost = {
      isSandbox: true,
      name: 'a place',
      execute: async (request) => {
        requests.push(request);
        await request.onStdout(readFileSync(recording('claude-ok')));
        return { exitCode: 0, signal: null, timedOut: false, aborted: false, spawnError: null };
      },
    };
    const sourceEnv = { ANTHROPIC_API_KEY: 'key', CLAUDE_CONFIG_DIR: '/here', PATH: '/bin' };
    const { result } = await runIn(dir, { kind: 'claude_sdk' }, { host, sourceEnv, timeoutSeconds: 7 });
    expect(result.success).toBe(true);
    expect(requests[0]).toMatchObject({ timeoutMs: 7000, files: {}, stdin: Buffer.from(PROMPT) });
    expect(requests[0]?.env).toMatchObject({ ANTHROPIC_API_KEY: 'key', IS_SANDBOX: '1' });
    expect(requests[0]?.env.PATH).toBeUndefined();
    expect(requests[0]?.env.CLAUDE_CONFIG_DIR).toBeUndefined();
  });

  test('a place that reports 127 has no such program', async () => {
    using dir = tempDir();
    const outcome = { exitCode: 127, signal: null, timedOut: false, aborted: false, spawnError: null };
    const host: CommandHost = { isSandbox: true, name: 'a place', execute: async () => outcome };
    const { result } = await runIn(dir, { kind: 'codex_sdk' }, { host });
    expect(result).toMatchObject({
      outcome: 'failed',
      hint: expect.stringContaining('npm install -g @openai/codex'),
    });
  });
});
