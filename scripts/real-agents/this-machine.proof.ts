/** Real agents run on this machine against the stub model server, through `runAgentUnion` as wreckit does. */
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { type ModelServer, type Scenario, startModelServer } from '../../fixtures/model-server/server.ts';
import { fixtureBin } from '../../src/__tests__/helpers/fixtures.ts';
import { tempDir } from '../../src/__tests__/helpers/temp-dir.ts';
import type { AgentEvent, AgentResult } from '../../src/agent/agent-events.ts';
import type { AgentRunOptions } from '../../src/agent/agent-options.ts';
import type { CommandAgentConfig } from '../../src/agent/command-invocation.ts';
import { runAgentUnion } from '../../src/agent/runner.ts';
import { agentsPath, installedAgents, REAL_AGENTS } from './agents.ts';

interface Place extends AsyncDisposable {
  readonly server: ModelServer;
  readonly project: string;
  run(
    options?: Partial<AgentRunOptions>,
    config?: object,
  ): Promise<{ result: AgentResult; events: AgentEvent[] }>;
}

async function place(
  name: keyof typeof REAL_AGENTS,
  scenario: (project: string) => Scenario,
): Promise<Place> {
  const agent = REAL_AGENTS[name];
  const dir = tempDir();
  const project = dir.join('project');
  mkdirSync(project);
  const server = await startModelServer(scenario(project));
  return {
    server,
    project,
    run: async (options = {}, config = {}) => {
      const events: AgentEvent[] = [];
      const result = await runAgentUnion({
        config: { ...agent.config, ...config } as CommandAgentConfig,
        cwd: project,
        prompt: 'Please do the task.',
        timeoutSeconds: 90,
        sourceEnv: {
          ...agent.env(server),
          PATH: agentsPath(),
          HOME: dir.path,
          SPRITES_TOKEN: 'canary',
          GITHUB_TOKEN: 'canary',
        },
        onAgentEvent: (event) => void events.push(event),
        ...options,
      });
      return { result, events };
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      dir[Symbol.dispose]();
    },
  };
}

describe.each(installedAgents())('real %s', (name) => {
  test('writes a file, says what it did, and knows nothing of our secrets', async () => {
    await using at = await place(name, (project) => [
      { run: 'env > env.txt; env', text: 'Looking around. ' },
      { write: { path: `${project}/hello.txt`, content: 'hi there\n' } },
      { text: 'Wrote hello.txt' },
    ]);
    const { result, events } = await at.run();
    expect(result).toMatchObject({
      success: true,
      outcome: 'completed',
      output: 'Wrote hello.txt',
      exitCode: 0,
    });
    expect(readFileSync(`${at.project}/hello.txt`, 'utf8')).toBe('hi there\n');
    expect(result.usage?.outputTokens).toBeGreaterThan(0);
    const types = events.map((event) => event.type).filter((type) => type !== 'error');
    expect(types.filter((type) => type === 'tool_started')).toHaveLength(2);
    expect(types.filter((type) => type === 'tool_result')).toHaveLength(2);
    expect(types.at(-1)).toBe('run_result');
    expect(readFileSync(`${at.project}/env.txt`, 'utf8')).not.toContain('canary');
    expect(JSON.stringify(at.server.requests)).not.toContain('canary');
  });

  test('goes on with an earlier session', async () => {
    await using at = await place(name, () => [{ text: 'first' }, { text: 'second' }]);
    const first = await at.run();
    expect(first.result).toMatchObject({ success: true, output: 'first' });
    const second = await at.run({}, { resume: first.result.sessionId });
    expect(second.result).toMatchObject({ success: true, output: 'second' });
    expect(second.result.sessionId).toBe(first.result.sessionId);
  });

  test('uses an MCP server that it was given', async () => {
    await using at = await place(name, () => (request) => {
      const tool = request.tools.find((offered) => offered.endsWith('echo'));
      if (request.rounds > 0 || tool === undefined) return { text: 'called' };
      return { call: { name: tool, input: { text: 'open' } } };
    });
    const server = { command: fixtureBin('mcp-echo.mjs'), env: { MCP_ECHO_WORD: 'sesame' } };
    const { result, events } = await at.run({ mcpServers: { echo: server } });
    expect(result.success).toBe(true);
    const answer = events.find((event) => event.type === 'tool_result');
    expect(answer).toMatchObject({ content: expect.stringContaining('open sesame') });
  });

  test('uses only the tools that it is allowed, or refuses the option', async () => {
    await using at = await place(name, () => [{ run: 'touch ran.txt' }, { text: 'tried' }]);
    const { readTools } = REAL_AGENTS[name];
    if (readTools === null) {
      expect(at.run({ allowedTools: ['x'] })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      return;
    }
    await at.run({ allowedTools: readTools });
    expect([...(at.server.requests.at(-1)?.tools ?? [])].sort()).toEqual([...readTools].sort());
    expect(existsSync(`${at.project}/ran.txt`)).toBe(false);
  });

  test('has failed when the model refuses its key, whatever it exits with', async () => {
    await using at = await place(name, () => [{ status: 401 }]);
    const { result } = await at.run();
    expect(result).toMatchObject({ success: false, outcome: 'failed' });
    expect(result.message).toMatch(/401|[Uu]nauthorized/);
  });

  test.each([429, 500])('gets over an HTTP %p, or says that it failed', async (status) => {
    let refused = 0;
    await using at = await place(name, () => (request) => {
      // Not the side request for a title, which offers no tools to work with.
      if (request.tools.length < 3 || refused > 0) return { text: 'there' };
      refused += 1;
      return { status, retryAfterS: 1 };
    });
    const { result } = await at.run();
    expect(refused).toBe(1);
    // Amp does not try again.
    if (name === 'amp') expect(result).toMatchObject({ success: false, outcome: 'failed' });
    else expect(result).toMatchObject({ success: true, output: 'there' });
  });

  test('gets over a stream that is cut', async () => {
    await using at = await place(name, () => [{ cut: 'half an ans', times: 1 }, { text: 'whole' }]);
    const { result } = await at.run();
    expect(result).toMatchObject({ success: true, output: 'whole' });
  });

  test('is timed out in time when the model never answers', async () => {
    await using at = await place(name, () => [{ hang: true }]);
    const { result } = await at.run({ timeoutSeconds: 6 });
    expect(result).toMatchObject({ outcome: 'timed_out', timedOut: true, success: false });
    expect(result.durationMs).toBeLessThan(12_000);
  });

  test('is stopped when aborted', async () => {
    const abort = new AbortController();
    await using at = await place(name, () => () => {
      abort.abort();
      return { hang: true };
    });
    const { result } = await at.run({ signal: abort.signal });
    expect(result).toMatchObject({ outcome: 'aborted', success: false });
  });
});
