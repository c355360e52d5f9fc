/**
 * Real agents in a local sprite, through `wreckit run` as a user types it: the program is pushed into a sprite
 * made for it, the model is the stub server on this machine, the changes come back as a branch.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { type ModelServer, type Scenario, startModelServer } from '../../fixtures/model-server/server.ts';
import { type SpriteProject, spriteProject, WRECKIT } from '../../src/__tests__/helpers/sprite-project.ts';
import { installedAgents, programDir, REAL_AGENTS, type RealAgentName } from './agents.ts';

const TIMEOUT_MS = 120_000;
const PROJECT = '/home/sprite/project';
/** What `wreckit run` is asked for; amp and opencode have no model to name. */
const KIND: Record<RealAgentName, readonly string[]> = {
  claude: ['--agent', 'claude', '--model', 'claude-sonnet-4-5'],
  codex: ['--agent', 'codex', '--model', 'stub-model'],
  opencode: ['--agent', 'opencode'],
  amp: ['--agent', 'amp'],
};

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(installedAgents())('real %s in a sprite', (name) => {
  let project: SpriteProject;

  function mustDo(...args: string[]): void {
    const { status, stderr } = project.wreckit(...args);
    if (status !== 0) throw new Error(`wreckit ${args.join(' ')}: ${stderr}`);
  }

  beforeAll(() => {
    project = spriteProject();
    mustDo('sprite', 'start', 'tools', '--network', 'open', '--memory', '1GiB');
    mustDo('sprite', 'push', 'tools', dirname(programDir(name)), '/home/sprite/agent/node_modules', '--all');
    const link = 'mkdir -p ~/.local/bin && ln -s ~/agent/node_modules/.bin/* ~/.local/bin/';
    mustDo('sprite', 'exec', 'tools', '--', 'sh', '-c', link);
  }, TIMEOUT_MS);

  afterAll(() => project[Symbol.dispose](), TIMEOUT_MS);

  /** Not `spawnSync`: the model server is in this process. */
  async function wreckit(args: readonly string[], env: Record<string, string>): Promise<Ran> {
    const child = spawn(WRECKIT, args, {
      cwd: project.path,
      env: { ...project.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        output[stream] += chunk;
      });
    const [status] = await once(child, 'close');
    return { status, ...output };
  }

  async function run(scenario: Scenario, ...args: string[]) {
    const server: ModelServer = await startModelServer(scenario);
    try {
      const secrets = { SPRITES_TOKEN: 'canary', GITHUB_TOKEN: 'canary' };
      const env = { ...REAL_AGENTS[name].env(server), ...secrets };
      const ran = await wreckit(['run', '--json', ...KIND[name], '--sprite', 'tools', ...args, 'go'], env);
      return { ...ran, run: JSON.parse(ran.stdout).data.run, requests: server.requests };
    } finally {
      await server.close();
    }
  }

  const OPEN = ['--network', 'open'];

  test(
    'writes files, and they land on a branch',
    async () => {
      const {
        status,
        run: done,
        requests,
      } = await run(
        [
          { run: 'env > env.txt; id -un > user.txt; pwd > where.txt', text: 'Looking around. ' },
          { write: { path: `${PROJECT}/hello.txt`, content: 'hi there\n' } },
          { text: 'Wrote hello.txt' },
        ],
        ...OPEN,
      );
      expect({ status, outcome: done.outcome, files: done.changed_files }).toEqual({
        status: 0,
        outcome: 'completed',
        files: 4,
      });
      const show = (file: string) => project.git('show', `${done.landing.branch}:${file}`);
      expect(show('hello.txt')).toBe('hi there\n');
      expect(show('user.txt')).toBe('sprite\n');
      expect(show('where.txt')).toBe(`${PROJECT}\n`);
      expect(show('env.txt')).toContain('HOME=/home/sprite\n');
      expect(show('env.txt')).not.toContain('canary');
      expect(JSON.stringify(requests)).not.toContain('canary');
      expect(done.usage.output_tokens).toBeGreaterThan(0);
      expect(project.git('status', '--porcelain')).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'goes on with its session in the sprite',
    async () => {
      const first = await run([{ text: 'first' }], ...OPEN);
      expect(first.run.agent_session).toBeString();
      const second = await run([{ text: 'first' }, { text: 'second' }], ...OPEN, '--resume', first.run.id);
      expect(second.run).toMatchObject({ outcome: 'completed', agent_session: first.run.agent_session });
      expect(second.requests.at(-1)?.rounds).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    'has failed when the model refuses its key',
    async () => {
      const { status, run: done } = await run([{ status: 401 }], ...OPEN);
      expect({ status, outcome: done.outcome }).toEqual({ status: 10, outcome: 'failed' });
      expect(done.message).toMatch(/401|[Uu]nauthorized/);
    },
    TIMEOUT_MS,
  );

  test.each([429, 500])(
    'gets over an HTTP %p, or says that it failed',
    async (status) => {
      let refused = 0;
      const { run: done } = await run(
        (request) => {
          // Not the side request for a title, which offers no tools to work with.
          if (request.tools.length < 3 || refused > 0) return { text: 'there' };
          refused += 1;
          return { status, retryAfterS: 1 };
        },
        ...OPEN,
      );
      expect(refused).toBe(1);
      // Amp does not try again.
      expect(done.outcome).toBe(name === 'amp' ? 'failed' : 'completed');
    },
    TIMEOUT_MS,
  );

  test(
    'gets over a stream that is cut',
    async () => {
      const { run: done } = await run([{ cut: 'half an ans', times: 1 }, { text: 'whole' }], ...OPEN);
      expect(done.outcome).toBe('completed');
    },
    TIMEOUT_MS,
  );

  test(
    'is stopped in time when the model never answers',
    async () => {
      const { status, run: done } = await run([{ hang: true }], ...OPEN, '--timeout', '6s');
      expect({ status, outcome: done.outcome }).toEqual({ status: 7, outcome: 'timed_out' });
    },
    TIMEOUT_MS,
  );

  const hasBaseUrl = name === 'claude' || name === 'codex';
  if (hasBaseUrl)
    test(
      'with the filtered network goes through the proxy, and the error tells what to allow',
      async () => {
        mustDo('sprite', 'start', 'closed', '--from', 'tools', '--network', 'filtered');
        const base = 'https://models.corp.example';
        const env = { ANTHROPIC_BASE_URL: base, OPENAI_BASE_URL: `${base}/v1` };
        const keys = { ANTHROPIC_API_KEY: 'k', CODEX_API_KEY: 'k', CLAUDE_CODE_MAX_RETRIES: '1' };
        const args = ['run', '--json', ...KIND[name], '--sprite', 'closed', '--timeout', '15s', 'go'];
        const { status, stdout } = await wreckit(args, { ...env, ...keys });
        const { run: done } = JSON.parse(stdout).data;
        expect(status).not.toBe(0);
        expect(done.outcome).not.toBe('completed');
        expect(done.hint).toContain('--allow');
        if (name === 'claude') {
          expect(done.message).toContain('wisp egress: models.corp.example:443: no rule allows it');
          expect(done.hint).toContain('--allow models.corp.example');
        }
        mustDo('sprite', 'kill', 'closed');
      },
      TIMEOUT_MS,
    );
});
