import { describe, expect, test } from 'bun:test';
import { FILES_DIR } from '../../agent/command-host.ts';
import { type CommandAgentConfig, commandInvocation } from '../../agent/command-invocation.ts';
import type { AgentInvocation, InvocationRequest } from '../../agent/invocation.ts';
import { WreckitError } from '../../errors.ts';

const CONFIGS = {
  process: { kind: 'process', command: 'agent', args: ['--go'] },
  claude_sdk: { kind: 'claude_sdk' },
  codex_sdk: { kind: 'codex_sdk' },
  opencode_sdk: { kind: 'opencode_sdk' },
  amp_sdk: { kind: 'amp_sdk' },
} as const satisfies Record<string, CommandAgentConfig>;

type Kind = keyof typeof CONFIGS;
const KINDS = Object.keys(CONFIGS) as Kind[];
const STREAMING = KINDS.filter((kind) => kind !== 'process');

const PROMPT = 'canary prompt: fix $& and {prompt_file}';

function make(config: CommandAgentConfig, request: Partial<InvocationRequest> = {}): AgentInvocation {
  return commandInvocation(config, { prompt: PROMPT, isSandbox: true, sourceEnv: {}, ...request });
}

function refusal(config: CommandAgentConfig, request: Partial<InvocationRequest>): unknown {
  try {
    return make(config, request);
  } catch (error) {
    if (!(error instanceof WreckitError)) throw error;
    return { code: error.code, option: error.details.option };
  }
}

/** The argument after `flag`. */
function after(invocation: AgentInvocation, flag: string): string | undefined {
  const at = invocation.argv.indexOf(flag);
  return at === -1 ? undefined : invocation.argv[at + 1];
}

const MCP = {
  local: { command: '/bin/server', args: ['--stdio'], env: { SERVER_KEY: 'canary-key' } },
  remote: { type: 'http', url: 'https://mcp.example.com', headers: { Authorization: 'Bearer canary-key' } },
} as const;

describe.each(KINDS)('an invocation of %s', (kind) => {
  test('has the prompt on stdin, not in argv', () => {
    const { argv, stdin } = make(CONFIGS[kind]);
    expect(Buffer.from(stdin ?? '').toString()).toBe(PROMPT);
    expect(argv.join(' ')).not.toContain('canary');
  });

  test('gives config.env, the run’s env over it and the item id to the agent', () => {
    const config = { ...CONFIGS[kind], env: { A: 'config', B: 'config', SPRITES_TOKEN: 'canary' } };
    const { env } = make(config, { env: { B: 'run' }, itemId: '042-fix' });
    expect(env).toMatchObject({ A: 'config', B: 'run', WRECKIT_ITEM_ID: '042-fix' });
    expect(JSON.stringify(env)).not.toContain('canary');
  });
});

describe.each(STREAMING)('an invocation of %s', (kind) => {
  test('resumes a session by id, and the latest one', () => {
    expect(make({ ...CONFIGS[kind], resume: 'session-7' }).argv).toContain('session-7');
    const { argv } = make({ ...CONFIGS[kind], resume: 'latest' });
    expect(argv.some((arg) => arg === '--continue' || arg === '--last')).toBe(true);
    expect(argv).not.toContain('latest');
  });

  test('hands MCP servers over without a secret in argv', () => {
    const invocation = make(CONFIGS[kind], { mcpServers: MCP });
    expect(invocation.argv.join(' ')).not.toContain('canary-key');
    const elsewhere = JSON.stringify([invocation.env, invocation.files]);
    expect(elsewhere).toContain('canary-key');
    expect(`${elsewhere}${invocation.argv.join(' ')}`).toContain('/bin/server');
    expect(`${elsewhere}${invocation.argv.join(' ')}`).toContain('https://mcp.example.com');
  });
});

describe('claudeInvocation()', () => {
  test('asks nobody, and says that a sandbox is one', () => {
    const { argv, env } = make({ kind: 'claude_sdk', model: 'sonnet', max_tokens: 4000 });
    expect(argv).toContain('--dangerously-skip-permissions');
    expect(argv).toEqual(expect.arrayContaining(['--model', 'sonnet']));
    expect(env).toMatchObject({
      IS_SANDBOX: '1',
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: '4000',
      DISABLE_AUTOUPDATER: '1',
    });
    expect(make({ kind: 'claude_sdk' }, { isSandbox: false }).env.IS_SANDBOX).toBeUndefined();
  });

  test('with a list of tools allows those and refuses the rest', () => {
    const allowedTools = ['Read', 'Bash(git *)', 'mcp__sprites__exec'];
    const invocation = make({ kind: 'claude_sdk' }, { allowedTools });
    expect(invocation.argv).not.toContain('--dangerously-skip-permissions');
    expect(after(invocation, '--permission-mode')).toBe('dontAsk');
    expect(after(invocation, '--tools')).toBe('Read,Bash');
    expect(invocation.argv.slice(invocation.argv.indexOf('--allowedTools') + 1)).toEqual(allowedTools);
  });

  test('allows only what both the config and the run allow', () => {
    const config: CommandAgentConfig = { kind: 'claude_sdk', tools: ['Read', 'Write'] };
    expect(after(make(config), '--tools')).toBe('Read,Write');
    expect(after(make(config, { allowedTools: ['Write', 'Bash'] }), '--tools')).toBe('Write');
    const none = make(config, { allowedTools: [] });
    expect(after(none, '--tools')).toBe('');
    expect(none.argv).not.toContain('--allowedTools');
  });

  test('uses the MCP servers given and no others', () => {
    const invocation = make({ kind: 'claude_sdk' }, { mcpServers: MCP });
    expect(after(invocation, '--mcp-config')).toBe(`${FILES_DIR}/mcp.json`);
    expect(invocation.argv).toContain('--strict-mcp-config');
    expect(JSON.parse(invocation.files['mcp.json'] ?? '')).toEqual({ mcpServers: MCP });
  });
});

describe('codexInvocation()', () => {
  test('keeps its own sandbox on this machine and none inside of ours', () => {
    expect(make({ kind: 'codex_sdk' }).argv).toContain('--dangerously-bypass-approvals-and-sandbox');
    const { argv } = make({ kind: 'codex_sdk' }, { isSandbox: false });
    expect(argv).toEqual(expect.arrayContaining(['--sandbox', 'workspace-write']));
    expect(argv).not.toContain('--dangerously-bypass-approvals-and-sandbox');
  });

  test('hands the base URL over, which Codex does not look for in the environment', () => {
    const { argv } = make({ kind: 'codex_sdk' }, { env: { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' } });
    expect(argv).toContain('openai_base_url="http://127.0.0.1:1/v1"');
    expect(argv.at(-1)).toBe('-');
  });

  test('writes MCP servers as TOML with secrets by name', () => {
    const { argv, env } = make({ kind: 'codex_sdk' }, { mcpServers: MCP });
    expect(argv.filter((arg) => arg.startsWith('mcp_servers.'))).toEqual([
      'mcp_servers.local.default_tools_approval_mode="approve"',
      'mcp_servers.local.command="/bin/server"',
      'mcp_servers.local.args=["--stdio"]',
      'mcp_servers.local.env_vars=["SERVER_KEY"]',
      'mcp_servers.remote.default_tools_approval_mode="approve"',
      'mcp_servers.remote.url="https://mcp.example.com"',
      'mcp_servers.remote.env_http_headers={ "Authorization" = "WRECKIT_MCP_REMOTE_0" }',
    ]);
    expect(env).toMatchObject({ SERVER_KEY: 'canary-key', WRECKIT_MCP_REMOTE_0: 'Bearer canary-key' });
  });

  test('refuses what it can’t honour', () => {
    const config = { kind: 'codex_sdk' } as const;
    expect(refusal(config, { allowedTools: ['x'] })).toEqual({ code: 'UNSUPPORTED', option: 'allowedTools' });
    const sse = { mcpServers: { s: { type: 'sse', url: 'https://x.example.com' } } } as const;
    expect(refusal(config, sse)).toEqual({ code: 'UNSUPPORTED', option: 'mcpServers.s.type' });
    const server = (value: string) => ({ command: 'x', env: { KEY: value } });
    expect(refusal(config, { mcpServers: { a: server('1'), b: server('2') } })).toMatchObject({
      code: 'UNSUPPORTED',
    });
    expect(refusal(config, { mcpServers: { 'a.b': server('1') } })).toMatchObject({ code: 'USAGE' });
  });
});

describe('opencodeInvocation()', () => {
  const content = (invocation: AgentInvocation) => JSON.parse(invocation.env.OPENCODE_CONFIG_CONTENT ?? '');

  test('puts its settings over those in the environment', () => {
    const env = { OPENCODE_CONFIG_CONTENT: '{"model":"a/b","permission":{"bash":"deny"},"mcp":{"own":{}}}' };
    const config = content(make({ kind: 'opencode_sdk' }, { env, mcpServers: MCP }));
    expect(config).toMatchObject({
      model: 'a/b',
      permission: { bash: 'deny', edit: 'allow' },
      share: 'disabled',
    });
    expect(Object.keys(config.mcp)).toEqual(['own', 'local', 'remote']);
  });

  test('with a list of tools denies all others', () => {
    const config = content(make({ kind: 'opencode_sdk' }, { allowedTools: ['read', 'write'] }));
    expect(config.permission).toEqual({ '*': 'deny', read: 'allow', edit: 'allow' });
  });

  test('refuses a config in the environment that is not JSON', () => {
    const env = { OPENCODE_CONFIG_CONTENT: '{' };
    expect(refusal({ kind: 'opencode_sdk' }, { env })).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('ampInvocation()', () => {
  test('takes a mode for a model and refuses anything else', () => {
    expect(after(make({ kind: 'amp_sdk', model: 'rush' }), '--mode')).toBe('rush');
    expect(refusal({ kind: 'amp_sdk', model: 'gpt-5' }, {})).toEqual({
      code: 'UNSUPPORTED',
      option: 'model',
    });
  });

  test('with a list of tools enables only those', () => {
    const invocation = make({ kind: 'amp_sdk' }, { allowedTools: ['Read'] });
    expect(after(invocation, '--settings-file')).toBe(`${FILES_DIR}/settings.json`);
    expect(JSON.parse(invocation.files['settings.json'] ?? '')).toMatchObject({
      'amp.tools.enable': ['Read'],
    });
  });
});

describe('processInvocation()', () => {
  const config = (...args: string[]) => ({ kind: 'process', command: 'agent', args }) as const;

  test('puts the prompt where the args say, once, whatever is in it', () => {
    const { argv, stdin } = make(config('-p', 'Task: {prompt}!'));
    expect(argv).toEqual(['agent', '-p', `Task: ${PROMPT}!`]);
    expect(stdin).toBeNull();
  });

  test('puts the prompt into a file where the args say so', () => {
    const { argv, stdin, files } = make(config('--file={prompt_file}'));
    expect(argv).toEqual(['agent', `--file=${FILES_DIR}/prompt.txt`]);
    expect(files).toEqual({ 'prompt.txt': PROMPT });
    expect(stdin).toBeNull();
  });

  test('refuses options that nobody knows how to hand over', () => {
    expect(refusal(config(), { allowedTools: [] })).toEqual({ code: 'UNSUPPORTED', option: 'allowedTools' });
    expect(refusal(config(), { mcpServers: {} })).toEqual({ code: 'UNSUPPORTED', option: 'mcpServers' });
  });
});
