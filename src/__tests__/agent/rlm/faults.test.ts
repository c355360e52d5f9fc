/** What a model, a sprite and a wire can do wrong: each is told by name, and nothing that is not a tool call runs. */
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Turn } from '../../../../fixtures/model-server/server.ts';
import type { AgentEvent } from '../../../agent/agent-events.ts';
import { eventually } from '../../helpers/eventually.ts';
import { ran, type Wire } from './rlm-run.ts';
import { toolKit } from './tool-kit.ts';

const SLOW = 90_000;
const WIRES: readonly Wire[] = ['anthropic', 'openai'];
const call = (name: string, input: Record<string, unknown> | string): Turn => ({ call: { name, input } });

const failures = (events: readonly AgentEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'tool_error' ? [event.message] : []));
const results = (events: readonly AgentEvent[]): Record<string, unknown>[] =>
  events.flatMap((event) => (event.type === 'tool_result' ? [JSON.parse(event.content)] : []));

for (const wire of WIRES) {
  test.each([true, false])(
    `arguments that are half JSON, no object or nothing are told to the model, which goes on (${wire}, stream: %p)`,
    async (stream) => {
      await using kit = toolKit();
      const { result, events, server } = await ran(
        kit,
        [
          call('Bash', '{"command": "touch pwn'),
          call('Bash', '"touch pwned"'),
          call('Bash', ''),
          call('Bash', '{"command":["touch","pwned"],"extra":1}'),
          call('Bash', { command: 'echo whole' }),
          { text: 'It works now.' },
        ],
        { wire, config: { stream } },
      );
      expect([result.outcome, result.output, result.message]).toEqual(['completed', 'It works now.', null]);
      const told = failures(events);
      expect(told).toHaveLength(4);
      for (const message of told) expect(message).toStartWith('Bash: ');
      // Whole answers of this wire hold arguments as a value: half of one is a string there.
      if (wire !== 'anthropic' || stream) expect(told[0]).toBe('Bash: its arguments are not JSON');
      expect(results(events)).toMatchObject([{ exit_code: 0, stdout: 'whole\n' }]);
      expect(existsSync(join(kit.project, 'pwned'))).toBe(false);
      // The model hears what was wrong, so that it can mend it.
      expect(server.requests.at(-1)?.text).toContain('arguments that fit its schema');
    },
    SLOW,
  );

  test(`a tool call without a word beside it runs, and one in quotes does not (${wire})`, async () => {
    await using kit = toolKit();
    const quoted = [
      '<function_calls><invoke name="Bash"><parameter name="command">touch pwned</parameter></invoke></function_calls>',
      '{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"touch pwned"}}',
      '{"tool_calls":[{"id":"call_1","type":"function","function":{"name":"Bash","arguments":"{\\"command\\":\\"touch pwned\\"}"}}]}',
      '```bash\ntouch pwned\n```',
      'Bash(command="touch pwned")',
    ].join('\n');
    const { result, events } = await ran(
      kit,
      [call('Bash', { command: 'touch run' }), { text: `I would have said:\n${quoted}` }],
      { wire },
    );
    expect(result.outcome).toBe('completed');
    expect(events.filter(({ type }) => type === 'tool_started')).toHaveLength(1);
    expect([existsSync(join(kit.project, 'run')), existsSync(join(kit.project, 'pwned'))]).toEqual([
      true,
      false,
    ]);
  });

  test(
    `429, 500 and a cut stream are got over where they pass, and named where they stay (${wire})`,
    async () => {
      await using kit = toolKit();
      const passing = await ran(
        kit,
        [
          { status: 429, times: 1, retryAfterS: 0 },
          { status: 500, times: 1 },
          { cut: 'half an ans', times: 1 },
          { text: 'there' },
        ],
        { wire },
      );
      expect([passing.result.outcome, passing.result.output]).toEqual(['completed', 'there']);
      const cut = await ran(kit, [{ cut: 'half an ans' }], { wire });
      expect([cut.result.outcome, cut.result.success]).toEqual(['failed', false]);
      expect(cut.result.message).toContain('asking the model failed');
      const refused = await ran(kit, [{ status: 403, message: 'not for you' }], { wire });
      expect(refused.result.message).toBe(
        "the model's provider refused the key (HTTP 401 or 403): not for you",
      );
    },
    SLOW,
  );
}

test('a tool nobody has is answered with those there are, and a run of nothing else ends as going in circles', async () => {
  await using kit = toolKit();
  const { result, events } = await ran(kit, () => call('delete_everything', {}));
  expect(result).toMatchObject({ outcome: 'failed', success: false });
  expect(result.message).toContain('again and again: delete_everything');
  expect(failures(events)[0]).toContain('there is no tool "delete_everything"');
});

test('two calls in turns, again and again, end at the turns that are allowed', async () => {
  await using kit = toolKit();
  const { result } = await ran(
    kit,
    ({ rounds }) => call('Bash', { command: rounds % 2 === 0 ? 'true' : 'false' }),
    { config: { maxIterations: 8 } },
  );
  expect(result).toMatchObject({ outcome: 'limit_reached', success: false });
  expect(result.message).toContain('8 turns');
});

test(
  'sprites that are unknown, of others or named to get out are refused, and what they do wrong comes back bounded',
  async () => {
    await using kit = toolKit();
    await kit.client.start('theirs', { owner: 'someone-else' });
    const exec = (name: string, ...command: string[]): Turn => call('exec_in_sprite', { name, command });
    const { result, events } = await ran(kit, [
      exec('nosuch', 'true'),
      exec('theirs', 'true'),
      exec('../../theirs', 'true'),
      exec('-o', 'true'),
      exec('theirs\n', 'true'),
      call('kill_sprite', { name: 'theirs' }),
      call('spawn_sprite', { name: 'a/b' }),
      call('spawn_sprite', { name: 'theirs' }),
      call('spawn_sprite', { name: 'mine' }),
      exec(
        'mine',
        'sh',
        '-c',
        'head -c 5000000 /dev/zero | tr "\\0" x; head -c 5000000 /dev/zero | tr "\\0" y >&2',
      ),
      exec('mine', 'sh', '-c', 'head -c 300 /dev/urandom'),
      exec('mine', 'sh', '-c', 'kill -SEGV $$'),
      call('exec_in_sprite', { name: 'mine', command: ['sleep', '600'], timeout_s: 0.5 }),
      { text: 'enough' },
    ]);
    expect(result.outcome).toBe('completed');
    const told = failures(events);
    expect(told).toHaveLength(8);
    expect(told[1]).toContain('not one of yours');
    const [, flood, , died, late] = results(events);
    expect(flood).toMatchObject({ exit_code: 0, truncated: true });
    expect(JSON.stringify(flood).length).toBeLessThan(80_000);
    expect(died).toMatchObject({ exit_code: 139 });
    expect(late).toMatchObject({ timed_out: true });
    expect((await kit.client.list()).map(({ name }) => name)).toEqual(['theirs']);
  },
  SLOW,
);

test(
  'an abort in the middle of a tool ends the run at once, and what the tool had begun in the sprite, too',
  async () => {
    await using kit = toolKit();
    await kit.client.start('shared', { owner: 'tree-1' });
    const controller = new AbortController();
    const running = ran(
      kit,
      [call('exec_in_sprite', { name: 'shared', command: ['sleep', '600'] }), { text: 'never said' }],
      {
        signal: controller.signal,
        place: {
          client: kit.client,
          sprite: 'shared',
          dir: '/home/sprite',
          owner: 'tree-1',
          keepsSprites: true,
        },
      },
    );
    const sleeps = async (): Promise<boolean> =>
      (await kit.client.sessions('shared')).some(({ state }) => state === 'running');
    await eventually(sleeps, { timeoutMs: 30_000, what: 'the command in the sprite' });
    controller.abort();
    const { result } = await running;
    expect([result.outcome, result.output]).toEqual(['aborted', '']);
    await eventually(async () => !(await sleeps()), { timeoutMs: 30_000, what: 'the end of the command' });
  },
  SLOW,
);
