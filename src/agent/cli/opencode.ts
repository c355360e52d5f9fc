/** OpenCode (measured with 1.18.33): `opencode run --format json`, prompt on stdin, config in the environment. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { OpencodeSdkAgentConfig } from '../../schemas.ts';
import { agentEnv } from '../agent-env.ts';
import type { McpServerConfig } from '../agent-options.ts';
import { type AgentInvocation, type InvocationRequest, installHint, runVariables } from '../invocation.ts';
import { asObject, type JsonObject } from './json-stream.ts';
import { OpencodeStream } from './opencode-stream.ts';

export function opencodeInvocation(
  config: OpencodeSdkAgentConfig,
  request: InvocationRequest,
): AgentInvocation {
  const { prompt, mcpServers, allowedTools, env: runEnv, sourceEnv = process.env, isSandbox } = request;
  const env = agentEnv({
    families: ['opencode'],
    source: sourceEnv,
    overrides: [config.env, runEnv, runVariables(request)],
    isThisMachine: !isSandbox,
  });
  const given = givenConfig(env.OPENCODE_CONFIG_CONTENT);
  const content = {
    autoupdate: false,
    share: 'disabled',
    ...given,
    permission: permissionsOf(allowedTools, asObject(given.permission)),
    ...(mcpServers === undefined ? {} : { mcp: { ...asObject(given.mcp), ...mcpEntries(mcpServers) } }),
  };
  return {
    kind: 'opencode_sdk',
    argv: [
      ...['opencode', 'run', '--format', 'json'],
      ...(config.model === undefined ? [] : ['--model', config.model]),
      ...resumeFlags(config.resume),
    ],
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      ...env,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(content),
    },
    stdin: Buffer.from(prompt),
    files: {},
    openStream: () => new OpencodeStream(),
    installHint: installHint('opencode-ai', isSandbox),
  };
}

function resumeFlags(resume: string | undefined): string[] {
  if (resume === undefined) return [];
  return resume === 'latest' ? ['--continue'] : ['--session', resume];
}

/** The config that the environment already has; ours is put over it. */
function givenConfig(text: string | undefined): JsonObject {
  if (text === undefined || text === '') return {};
  try {
    return asObject(JSON.parse(text));
  } catch (cause) {
    throw new WreckitError('CONFIG_INVALID', `OPENCODE_CONFIG_CONTENT: ${quote(text)} is not JSON`, {
      cause,
    });
  }
}

/** Nobody is there to answer a question: what isn't denied is allowed. */
function permissionsOf(allowed: readonly string[] | undefined, given: JsonObject): Record<string, unknown> {
  if (allowed === undefined) return { edit: 'allow', bash: 'allow', webfetch: 'allow', ...given };
  return { '*': 'deny', ...Object.fromEntries(allowed.map((tool) => [permissionFor(tool), 'allow'])) };
}

/** OpenCode knows one right for all tools that change files. */
function permissionFor(tool: string): string {
  return ['write', 'patch', 'multiedit'].includes(tool) ? 'edit' : tool;
}

function mcpEntries(servers: Readonly<Record<string, McpServerConfig>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [
      name,
      'command' in server
        ? {
            type: 'local',
            command: [server.command, ...(server.args ?? [])],
            environment: server.env ?? {},
            enabled: true,
          }
        : { type: 'remote', url: server.url, headers: server.headers ?? {}, enabled: true },
    ]),
  );
}
