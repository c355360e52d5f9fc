import { describe, expect, test } from 'bun:test';
import { DEFAULT_CONFIG } from '../../config/defaults.ts';
import { CONFIG, LOCAL, project } from './project.ts';

const SIGNAL = '<promise>COMPLETE</promise>';
const SPRITE_DEFAULTS = {
  kind: 'sprite',
  agent: { kind: 'rlm', maxIterations: 100 },
  maxVMs: 5,
  defaultMemory: '512MiB',
  defaultCPUs: '1',
  timeout: 300,
  allow: [],
  syncEnabled: true,
  syncExcludePatterns: ['node_modules', '.DS_Store'],
  syncOnSuccess: true,
  include: [],
  setup: [],
  keep: 'on-failure',
  land: 'branch',
};

describe('loadConfig() loads the files people have', () => {
  test('1: rlm with the keys of the older form, which are ignored aloud', async () => {
    const { load } = project({
      [CONFIG]: {
        schema_version: 1,
        base_branch: 'main',
        branch_prefix: 'wreckit/',
        merge_mode: 'pr',
        agent: {
          kind: 'rlm',
          model: 'glm-4.7',
          mode: 'sdk',
          command: 'claude',
          args: [],
          completion_signal: SIGNAL,
        },
        max_iterations: 100,
        timeout_seconds: 3600,
        pr_checks: { allow_unsafe_direct_merge: false },
      },
    });
    const { config, ignored, notices } = await load();
    expect(config).toEqual({
      ...DEFAULT_CONFIG,
      agent: { kind: 'rlm', model: 'glm-4.7', maxIterations: 100 },
    });
    expect(ignored.map(({ path }) => path.join('.'))).toEqual([
      'agent.mode',
      'agent.command',
      'agent.args',
      'agent.completion_signal',
    ]);
    expect(notices[1]).toBe(`${CONFIG}:1: agent.command is ignored: "kind": "rlm" wins over it`);
  });

  test('2: a local file with sandbox, wispPath and tokens, the sprites token kept from the agent', async () => {
    const { load } = project({
      [LOCAL]: {
        agent: {
          kind: 'rlm',
          sandbox: true,
          wispPath: '/opt/bin/sprite',
          env: {
            SPRITES_TOKEN: 'sprites-secret',
            ANTHROPIC_AUTH_TOKEN: 'model-secret',
            ANTHROPIC_BASE_URL: 'https://example.com',
          },
        },
      },
    });
    const { config, sprite, spritesToken, ignored } = await load();
    expect(config.agent).toEqual({
      kind: 'rlm',
      sandbox: true,
      wispPath: '/opt/bin/sprite',
      maxIterations: 100,
      env: { ANTHROPIC_AUTH_TOKEN: 'model-secret', ANTHROPIC_BASE_URL: 'https://example.com' },
    });
    expect(spritesToken).toMatchObject({ value: 'sprites-secret', origin: { kind: 'file', line: 1 } });
    expect(sprite).toEqual({ ...SPRITE_DEFAULTS, wispPath: '/opt/bin/sprite' } as typeof sprite);
    expect(ignored).toEqual([]);
  });

  test('3: the older form with a command is a process', async () => {
    const { load } = project({
      '.wreckitrc': { agent: { command: 'claude', args: ['--print'], completion_signal: 'DONE' } },
    });
    const { config } = await load();
    expect(config.agent).toEqual({
      kind: 'process',
      command: 'claude',
      args: ['--print'],
      completion_signal: 'DONE',
    });
  });

  test('4: the older form with mode "sdk" is claude_sdk', async () => {
    const { load } = project({
      [CONFIG]: { agent: { mode: 'sdk', command: 'claude', args: [], completion_signal: SIGNAL } },
    });
    const { config, ignored } = await load();
    expect(config.agent).toEqual({ kind: 'claude_sdk' });
    expect(ignored).toHaveLength(4);
  });

  test('5: a sprite through Fly’s command', async () => {
    const { load } = project({
      [CONFIG]: {
        agent: {
          kind: 'sprite',
          wispPath: 'sprite',
          syncEnabled: true,
          syncOnSuccess: true,
          maxVMs: 5,
          defaultMemory: '512MiB',
          defaultCPUs: '1',
        },
      },
    });
    const { config, sprite } = await load();
    expect(config.agent).toEqual({ ...SPRITE_DEFAULTS, wispPath: 'sprite' } as typeof sprite);
    expect(sprite).toEqual(config.agent as typeof sprite);
  });

  test('6: a sprite with other limits', async () => {
    const { load } = project({
      [CONFIG]: {
        agent: {
          kind: 'sprite',
          wispPath: '/opt/wisp/bin/wisp',
          maxVMs: 10,
          defaultMemory: '1GiB',
          defaultCPUs: '2',
          timeout: 600,
        },
      },
    });
    const { config } = await load();
    expect(config.agent).toMatchObject({ maxVMs: 10, defaultMemory: '1GiB', defaultCPUs: '2', timeout: 600 });
  });

  test('7: no agent keeps everything and takes the default one', async () => {
    const { load } = project({ '.wreckitrc': { base_branch: 'develop' } });
    expect((await load()).config).toEqual({ ...DEFAULT_CONFIG, base_branch: 'develop' });
  });

  test('8: another kind in a higher layer drops the fields of the one below', async () => {
    const { load } = project({
      [CONFIG]: { agent: { kind: 'claude_sdk', model: 'opus', tools: ['Read'], max_tokens: 100 } },
      [LOCAL]: { agent: { kind: 'sprite' } },
    });
    expect((await load()).config.agent as unknown).toEqual(SPRITE_DEFAULTS);
  });
});

describe('loadConfig() refuses', () => {
  const cases: [name: string, content: unknown, message: string][] = [
    [
      'a timeout that is none',
      { agent: { kind: 'sprite', timeout: 'soon' } },
      'agent.timeout: "soon" is not a duration from 1 s to 86400 s such as 300 or "30s"',
    ],
    [
      'a kind there is not',
      { agent: { kind: 'nope' } },
      'agent.kind: "nope" is not one of "process", "claude_sdk", "amp_sdk", "codex_sdk", "opencode_sdk", "rlm", "sprite"',
    ],
    ['a negative limit', { agent: { kind: 'sprite', maxVMs: -1 } }, 'agent.maxVMs: -1 is below 1'],
    ['half a file', '{"agent":{"kind":"sprite"', 'the file ends in the middle of a value'],
    ['text for a number', { max_iterations: 'many' }, 'max_iterations: "many" is not a number'],
  ];
  for (const [name, content, message] of cases) {
    test(`${name}, with exit 2, wherever it stands`, async () => {
      for (const file of [CONFIG, LOCAL, '.wreckitrc', '~/.wreckitrc']) {
        const { refusal, home } = project({ [file]: content });
        const error = await refusal();
        expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
        expect(error.message).toBe(`config: ${file}:1: ${message}`);
        expect(error.details).toMatchObject({ line: 1 });
        expect(String(error.details.file)).toEndWith(file.replace('~', home));
      }
    });

    test(`${name}, also under a file that would hide it`, async () => {
      const { refusal } = project({
        [CONFIG]: content,
        [LOCAL]: { agent: { kind: 'process', command: 'x' }, max_iterations: 3 },
      });
      expect((await refusal()).message).toContain(message);
    });
  }
});
