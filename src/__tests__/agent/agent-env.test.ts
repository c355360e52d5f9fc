import { describe, expect, test } from 'bun:test';
import { agentEnv, machineEnv } from '../../agent/agent-env.ts';

const SOURCE = {
  PATH: '/usr/bin',
  HOME: '/home/me',
  LC_ALL: 'C.UTF-8',
  ANTHROPIC_API_KEY: 'a',
  OPENAI_API_KEY: 'o',
  AMP_API_KEY: 'm',
  CODEX_HOME: '/home/me/.codex',
  CLAUDE_CODE_ENTRYPOINT: 'cli',
  SPRITES_TOKEN: 'canary',
  SPRITE_TOKEN: 'canary',
  AWS_SECRET_ACCESS_KEY: 'canary',
  GITHUB_TOKEN: 'canary',
  SSH_AUTH_SOCK: 'canary',
  UNDEFINED: undefined,
};

describe('agentEnv()', () => {
  test('gives each family its own credentials and nobody else’s', () => {
    const of = (family: 'claude' | 'codex' | 'amp') =>
      agentEnv({ families: [family], source: SOURCE, overrides: [], isThisMachine: true });
    expect(of('claude')).toEqual({ ANTHROPIC_API_KEY: 'a' });
    expect(of('codex')).toEqual({ OPENAI_API_KEY: 'o', CODEX_HOME: '/home/me/.codex' });
    expect(of('amp')).toEqual({ AMP_API_KEY: 'm' });
  });

  test('never gives the token of the sprites, not even when the config names it', () => {
    const overrides = [
      { SPRITES_TOKEN: 'canary', EXTRA: 'first' },
      { SPRITE_TOKEN: 'canary', EXTRA: 'second' },
    ];
    const env = agentEnv({ families: 'all', source: SOURCE, overrides, isThisMachine: true });
    expect(env.EXTRA).toBe('second');
    expect(JSON.stringify(env)).not.toContain('canary');
  });

  test("keeps the shell's key from a gateway whose token the config has", () => {
    const gateway = { ANTHROPIC_AUTH_TOKEN: 't', ANTHROPIC_BASE_URL: 'https://gateway.example' };
    const of = (override: Record<string, string>) =>
      agentEnv({ families: ['claude'], source: SOURCE, overrides: [override], isThisMachine: true });
    expect(of(gateway)).toEqual(gateway);
    expect(of({ ANTHROPIC_BASE_URL: 'https://gateway.example', ANTHROPIC_AUTH_TOKEN: '' })).toMatchObject({
      ANTHROPIC_API_KEY: 'a',
    });
  });

  test('leaves out what names files of this machine when the agent runs elsewhere', () => {
    const env = agentEnv({ families: ['codex'], source: SOURCE, overrides: [], isThisMachine: false });
    expect(env).toEqual({ OPENAI_API_KEY: 'o' });
  });
});

describe('machineEnv()', () => {
  test('holds what a program needs to run, and no secret', () => {
    expect(machineEnv(SOURCE)).toEqual({ PATH: '/usr/bin', HOME: '/home/me', LC_ALL: 'C.UTF-8' });
  });
});
