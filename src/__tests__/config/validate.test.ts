import { describe, expect, test } from 'bun:test';
import { CONFIG, project } from './project.ts';

async function refusal(content: unknown) {
  return await project({ [CONFIG]: content }).refusal();
}

describe('loadConfig() names the fault and what was wanted', () => {
  const sprite = (settings: object) => ({ agent: { kind: 'sprite', ...settings } });
  const rlm = (settings: object) => ({ agent: { kind: 'rlm', ...settings } });
  const cases: [content: unknown, message: string][] = [
    [{ schema_version: 2 }, 'schema_version: 2 is not one of 1'],
    [{ base_branch: '-x' }, 'base_branch: "-x" is not the name of a branch'],
    [{ base_branch: 'a..b' }, 'base_branch: "a..b" is not the name of a branch'],
    [{ branch_prefix: 'a b/' }, 'branch_prefix: "a b/" is not the beginning of a branch name'],
    [{ merge_mode: 'squash' }, 'merge_mode: "squash" is not one of "pr", "direct"'],
    [{ max_iterations: 0 }, 'max_iterations: 0 is below 1'],
    [{ max_iterations: 1.5 }, 'max_iterations: 1.5 is not a whole number'],
    [{ timeout_seconds: '31d' }, 'timeout_seconds: "31d" is not a duration from 1 s to 2592000 s'],
    [{ timeout_seconds: null }, 'timeout_seconds: null is not a duration'],
    [{ pr_checks: [] }, 'pr_checks: the list is not an object: { … }'],
    [{ pr_checks: { commands: 'x' } }, 'pr_checks.commands: "x" is not a list: [ … ]'],
    [{ pr_checks: { commands: ['x', 3] } }, 'pr_checks.commands[1]: 3 is not a text'],
    [{ agent: 'claude' }, 'agent: "claude" is not an object: { … }'],
    [{ agent: { kind: null } }, 'agent.kind: null is not one of '],
    [{ agent: { command: '' } }, 'agent.command: "" is empty'],
    [{ agent: { command: 'a\0b' } }, 'agent.command: "a\\u0000b" has a NUL character in it'],
    [sprite({ maxVMs: 2.5 }), 'agent.maxVMs: 2.5 is not a whole number'],
    [sprite({ maxVMs: 1001 }), 'agent.maxVMs: 1001 is above 1000'],
    [
      sprite({ defaultMemory: '512Mib of RAM' }),
      'agent.defaultMemory: "512Mib of RAM" is not a size from 16MiB',
    ],
    [sprite({ defaultMemory: 512 }), 'agent.defaultMemory: 512 is not a size from 16MiB'],
    [sprite({ defaultMemory: true }), 'agent.defaultMemory: true is not a text or a number'],
    [sprite({ defaultCPUs: '0' }), 'agent.defaultCPUs: "0" is not a number of CPUs'],
    [sprite({ defaultCPUs: '1e3' }), 'agent.defaultCPUs: "1e3" is not a number of CPUs'],
    [sprite({ timeout: 0 }), 'agent.timeout: 0 is not a duration'],
    [sprite({ vmName: '../x' }), 'agent.vmName: "../x" is not a sprite name'],
    [sprite({ network: 'closed' }), 'agent.network: "closed" is not one of "open", "filtered", "none"'],
    [sprite({ allow: ['10.0.0.1'] }), 'agent.allow[0]: "10.0.0.1" is not a domain'],
    [sprite({ allow: ['https://x.y'] }), 'agent.allow[0]: "https://x.y" is not a domain'],
    [sprite({ allow: ['x.y'], network: 'open' }), 'agent.allow: the list has domains, which only'],
    [sprite({ include: ['../secrets'] }), 'agent.include[0]: "../secrets" is not a path inside the project'],
    [sprite({ include: ['/etc'] }), 'agent.include[0]: "/etc" is not a path inside the project'],
    [sprite({ keep: true }), 'agent.keep: true is not one of "always", "on-failure", "never"'],
    [
      sprite({ agent: { kind: 'sprite' } }),
      'agent.agent.kind: "sprite" is not the kind of an agent that can run inside',
    ],
    [sprite({ agent: { kind: 'process' } }), 'agent.agent.command: is missing'],
    [rlm({ aiProvider: 'skynet' }), 'agent.aiProvider: "skynet" is not one of "anthropic"'],
    [rlm({ baseUrl: 'ftp://x' }), 'agent.baseUrl: "ftp://x" is not a URL'],
    [rlm({ mode: 'fast' }), 'agent.mode: "fast" is not one of "auto", "chat", "rlm"'],
    [rlm({ env: { 'A B': 'x' } }), 'agent.env.A B: the value is not the name of a variable'],
    [rlm({ env: { A: 3 } }), 'agent.env.A: the value is not a text'],
  ];
  for (const [content, message] of cases) {
    test(message, async () => {
      const error = await refusal(content);
      expect(error.exitCode).toBe(2);
      expect(error.message).toStartWith(`config: ${CONFIG}:1: ${message}`);
    });
  }

  test('with the line of the value, and how many more there are', async () => {
    const text =
      '{\n  // limits\n  "max_iterations": -5,\n  "agent": {\n    "kind": "sprite",\n    "maxVMs": 0\n  }\n}';
    const error = await refusal(text);
    expect(error.message).toContain(':6: agent.maxVMs: 0 is below 1 (and 1 more)');
    expect(error.details).toMatchObject({
      line: 6,
      faults: [`${CONFIG}:6: agent.maxVMs: 0 is below 1`, `${CONFIG}:3: max_iterations: -5 is below 1`],
    });
  });

  test('without showing a secret', async () => {
    const error = await refusal({ agent: { kind: 'sprite', token: { oops: 'canary-secret' } } });
    expect(error.message).toContain('agent.token: the value is not a text');
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('canary');
  });
});

describe('loadConfig() refuses an unknown key with the nearest one', () => {
  const cases: [content: unknown, message: string, hint: string][] = [
    [{ base_brunch: 'x' }, 'base_brunch: it is not a setting', 'did you mean "base_branch"?'],
    [
      { pr_checks: { secretscan: true } },
      'pr_checks.secretscan: it is not a setting',
      'did you mean "secret_scan"?',
    ],
    [
      { agent: { kind: 'sprite', maxVm: 3 } },
      'agent.maxVm: it is not a setting of an agent of kind "sprite"',
      'did you mean "maxVMs"?',
    ],
    [
      { agent: { kind: 'sprite', agent: { kind: 'rlm', maxIteration: 3 } } },
      'agent.agent.maxIteration: it is not a setting of an agent of kind "rlm"',
      'did you mean "maxIterations"?',
    ],
    [
      { agent: { kind: 'amp_sdk', frobnicate: 1 } },
      'agent.frobnicate: it is not a setting of an agent of kind "amp_sdk"',
      'remove it; the settings here are: kind, model, resume, env',
    ],
    [{ constructor: {} }, 'constructor: it is not a setting', ''],
  ];
  for (const [content, message, hint] of cases) {
    test(message, async () => {
      const error = await refusal(content);
      expect(error.message).toBe(`config: ${CONFIG}:1: ${message}`);
      expect(error.hint).toContain(hint);
    });
  }
});
