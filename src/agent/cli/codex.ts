/** Codex (measured with 0.169.0): `codex exec --json -`, prompt on stdin, JSON lines on stdout. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { CodexSdkAgentConfig } from '../../schemas.ts';
import { agentEnv } from '../agent-env.ts';
import type { McpServerConfig } from '../agent-options.ts';
import {
  type AgentInvocation,
  type InvocationRequest,
  installHint,
  refuseOption,
  runVariables,
} from '../invocation.ts';
import { CodexStream } from './codex-stream.ts';

export function codexInvocation(config: CodexSdkAgentConfig, request: InvocationRequest): AgentInvocation {
  const { prompt, mcpServers = {}, allowedTools, env, sourceEnv = process.env, isSandbox } = request;
  refuseOption('codex_sdk', 'allowedTools', allowedTools, 'Codex has no list of allowed tools');
  const mcp = mcpSettings(mcpServers);
  return {
    kind: 'codex_sdk',
    argv: [
      ...['codex', 'exec', '--json', '--skip-git-repo-check', '-c', 'check_for_update_on_startup=false'],
      // On this machine Codex keeps its own sandbox: the working directory is writable, the network closed.
      ...(isSandbox ? ['--dangerously-bypass-approvals-and-sandbox'] : ['--sandbox', 'workspace-write']),
      ...(config.model === undefined ? [] : ['--model', config.model]),
      ...mcp.settings.flatMap((setting) => ['-c', setting]),
      ...baseUrlSetting({ ...sourceEnv, ...config.env, ...env }),
      ...resumeArgs(config.resume),
      '-',
    ],
    env: {
      ...agentEnv({
        families: ['codex'],
        source: sourceEnv,
        overrides: [config.env, env, runVariables(request)],
        isThisMachine: !isSandbox,
      }),
      ...mcp.env,
    },
    stdin: Buffer.from(prompt),
    files: {},
    openStream: () => new CodexStream(),
    installHint: installHint('@openai/codex', isSandbox),
  };
}

function resumeArgs(resume: string | undefined): string[] {
  if (resume === undefined) return [];
  return ['resume', resume === 'latest' ? '--last' : resume];
}

/** Codex does not look at OPENAI_BASE_URL, which everybody else does. */
function baseUrlSetting(env: Readonly<Record<string, string | undefined>>): string[] {
  const url = env.OPENAI_BASE_URL;
  return url === undefined || url === '' ? [] : ['-c', `openai_base_url=${toml(url)}`];
}

interface McpSettings {
  /** For `-c`: no secret among them, for argv can be read by everybody. */
  readonly settings: readonly string[];
  /** What the settings name. */
  readonly env: Readonly<Record<string, string>>;
}

function mcpSettings(servers: Readonly<Record<string, McpServerConfig>>): McpSettings {
  const settings: string[] = [];
  const env: Record<string, string> = {};
  const put = (name: string, value: string): void => {
    if (env[name] !== undefined && env[name] !== value) {
      throw new WreckitError(
        'UNSUPPORTED',
        `run an agent of kind "codex_sdk": two MCP servers want different values of ${quote(name)}`,
      );
    }
    env[name] = value;
  };
  for (const [name, server] of Object.entries(servers)) {
    if (!/^[A-Za-z0-9_-]+$/.test(name))
      throw new WreckitError(
        'USAGE',
        `MCP server: ${quote(name)} is not a name of A-Z, a-z, 0-9, "_" and "-"`,
      );
    const set = (key: string, value: unknown): void =>
      void settings.push(`mcp_servers.${name}.${key}=${toml(value)}`);
    // The user gave this server for this run: nobody is there to approve each of its calls.
    set('default_tools_approval_mode', 'approve');
    if ('command' in server) {
      set('command', server.command);
      if (server.args !== undefined) set('args', server.args);
      if (server.env !== undefined) set('env_vars', Object.keys(server.env));
      for (const [key, value] of Object.entries(server.env ?? {})) put(key, value);
    } else {
      if (server.type === 'sse')
        refuseOption('codex_sdk', `mcpServers.${name}.type`, server.type, 'Codex speaks stdio and HTTP only');
      set('url', server.url);
      const headers = Object.entries(server.headers ?? {}).map(([header, value], index) => {
        const variable = `WRECKIT_MCP_${name.toUpperCase().replaceAll('-', '_')}_${index}`;
        put(variable, value);
        return [header, variable];
      });
      if (headers.length > 0) set('env_http_headers', Object.fromEntries(headers));
    }
  }
  return { settings, env };
}

/** A value as TOML; its strings have the escapes of JSON. */
function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)} = ${toml(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value);
}
