/** `wreckit run --context …` with the built program, the real engine and the stub model server. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelServer, startModelServer } from '../../../fixtures/model-server/server.ts';
import { packageRoot } from '../../package-root.ts';
import { run, type StdinSource } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

const WRECKIT = join(packageRoot(), 'bin', 'wreckit');
const TIMEOUT_MS = 90_000;
const LOG = Array.from({ length: 20_000 }, (_, line) =>
  line === 12_345 ? 'ERROR disk full' : `line ${line}`,
).join('\n');

let dir: TempDir;
let project: string;
let env: Record<string, string>;
let server: ModelServer;

beforeEach(async () => {
  dir = tempDir();
  project = dir.join('project');
  mkdirSync(project);
  mkdirSync(dir.join('home'));
  writeFileSync(join(project, 'a.txt'), 'one\n');
  writeFileSync(dir.join('build.log'), LOG);
  server = await startModelServer(({ text }) => {
    if (text.includes('Answer Synthesis Agent')) return { text: 'Final Answer: The disk is full.' };
    if (!text.includes('You (`distiller`)')) return { text: 'no code was needed' };
    const code = text.includes('ERROR disk full')
      ? 'await respond("tell it", { hits })'
      : 'const hits = contextDocuments.flatMap(({ text }) => text.split("\\n")).filter((line) => line.startsWith("ERROR")); console.log(hits)';
    return { text: `Javascript Code: ${code}` };
  });
  env = {
    PATH: process.env.PATH ?? '',
    HOME: dir.join('home'),
    WISP_HOME: dir.join('wisp'),
    TMPDIR: dir.path,
    ANTHROPIC_API_KEY: 'sk-canary-5555',
    ANTHROPIC_BASE_URL: server.url,
  };
});

afterEach(async () => {
  const { data } = JSON.parse((await wreckit(['sprite', 'list', '--json'])).stdout);
  for (const { name } of data.sprites) await wreckit(['sprite', 'kill', name]);
  await server.close();
  dir[Symbol.dispose]();
});

async function wreckit(args: readonly string[], stdin: StdinSource = 'ignore') {
  const done = await run([WRECKIT, ...args], { cwd: project, env, stdin, timeoutMs: TIMEOUT_MS });
  return { status: done.exitCode, stdout: decodeUtf8(done.stdout), stderr: decodeUtf8(done.stderr) };
}

const rlm = (...args: string[]): string[] => ['run', '--agent', 'rlm', ...args];

test(
  'run --context lets code in a sprite look through a file, and records which',
  async () => {
    const { status, stdout } = await wreckit(rlm('--json', '--context', '../build.log', 'why?'));
    const { data } = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(data.run).toMatchObject({
      ...{ agent: 'rlm', sandbox: true, outcome: 'completed', success: true, exit_code: null },
      usage: { input_tokens: 300, output_tokens: 60, cached_input_tokens: 0 },
    });
    const record = join(project, '.wreckit/runs', data.run.id);
    expect(readFileSync(join(record, 'context.txt'), 'utf8')).toContain('[0] ../build.log: ');
    expect(readFileSync(join(record, 'events.ndjson'), 'utf8')).toContain("[ 'ERROR disk full' ]");
    expect((await wreckit(['runs', 'logs'])).stdout).toBe('The disk is full.\n');
  },
  TIMEOUT_MS,
);

test(
  'run --context - reads standard input, --events tells every piece of code',
  async () => {
    const { status, stdout } = await wreckit(rlm('--events', '--context', '-', 'why?'), { text: LOG });
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(status).toBe(0);
    const told = events.filter(({ type }) => /^(tool|assistant|run)/.test(type)).map(({ type }) => type);
    expect(told).toEqual([
      ...['tool_started', 'tool_result', 'tool_started', 'tool_result'],
      ...['assistant_text', 'run_result', 'run'],
    ]);
  },
  TIMEOUT_MS,
);

test(
  'run --context of something small is a conversation that holds it',
  async () => {
    const { stdout } = await wreckit(rlm('--context', 'a.txt', 'why?'));
    expect(stdout).toContain('no code was needed');
    expect(server.requests[0]?.text).toContain('<document name=');
  },
  TIMEOUT_MS,
);

test('run --dry-run says how the material would be gone through, and starts nothing', async () => {
  const plan = async (...args: string[]) =>
    (await wreckit(rlm('--dry-run', '--context', ...args, 'why?'))).stdout;
  expect(await plan('../build.log')).toContain('by code that is run in that sprite (mode rlm)');
  expect(await plan('../build.log', '--no-sandbox')).toContain(
    'by code that is run in a sprite of its own (mode rlm)',
  );
  expect(await plan('a.txt', '--context', '../build.log')).toContain('and 2 documents (');
  expect(await plan('a.txt')).toContain('in a conversation (mode chat)');
  expect([server.requests, existsSync(join(project, '.wreckit/runs'))]).toEqual([[], false]);
});

test.each([
  [['--agent', 'rlm', '--context', 'nope.log', 'x'], 2, 'USAGE'],
  [['--agent', 'rlm', '--context', '.env', 'x'], 8, 'POLICY_DENIED'],
  [['--agent', 'rlm', '--context', '-', '-'], 2, 'USAGE'],
  [['--agent', 'rlm', '--context', 'empty', 'x'], 2, 'USAGE'],
  [['--agent', 'claude', '--context', 'a.txt', 'x'], 9, 'UNSUPPORTED'],
] as const)('run %p is refused with exit %p and %s, before any sprite', async (args, exit, code) => {
  writeFileSync(join(project, '.env'), 'A=b');
  mkdirSync(join(project, 'empty'));
  const { status, stdout } = await wreckit(['run', '--json', ...args], { text: 'prompt' });
  expect([status, JSON.parse(stdout).error.code]).toEqual([exit, code]);
  expect(existsSync(dir.join('wisp'))).toBe(false);
});
