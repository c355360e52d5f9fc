/** Claude Code (measured with 2.1.197): `claude -p`, prompt on stdin, stream-json on stdout. */
import type { ClaudeSdkAgentConfig } from '../../schemas.ts';
import { agentEnv } from '../agent-env.ts';
import { FILES_DIR } from '../command-host.ts';
import {
  type AgentInvocation,
  allowedByBoth,
  type InvocationRequest,
  installHint,
  runVariables,
} from '../invocation.ts';
import { ClaudeStream } from './claude-stream.ts';

export function claudeInvocation(config: ClaudeSdkAgentConfig, request: InvocationRequest): AgentInvocation {
  const { prompt, mcpServers, allowedTools, env, sourceEnv = process.env, isSandbox } = request;
  const tools = allowedByBoth(config.tools, allowedTools);
  return {
    kind: 'claude_sdk',
    argv: [
      ...['claude', '-p', '--output-format', 'stream-json', '--verbose'],
      ...(config.model === undefined ? [] : ['--model', config.model]),
      ...resumeFlags(config.resume),
      ...toolFlags(tools),
      // Only ours: what lies in the project was written by nobody we know.
      ...(mcpServers === undefined ? [] : ['--mcp-config', `${FILES_DIR}/mcp.json`, '--strict-mcp-config']),
    ],
    env: {
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // As root it refuses to work without permissions, except in a sandbox, which a sprite is.
      ...(isSandbox ? { IS_SANDBOX: '1' } : {}),
      ...(config.max_tokens === undefined
        ? {}
        : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(config.max_tokens) }),
      ...agentEnv({
        families: ['claude'],
        source: sourceEnv,
        overrides: [config.env, env, runVariables(request)],
        isThisMachine: !isSandbox,
      }),
    },
    stdin: Buffer.from(prompt),
    files: mcpServers === undefined ? {} : { 'mcp.json': JSON.stringify({ mcpServers }) },
    openStream: () => new ClaudeStream(),
    installHint: installHint('@anthropic-ai/claude-code', isSandbox),
  };
}

/** Without a list nothing is asked, for nobody is there to answer; with one, what isn't on it is refused. */
function toolFlags(tools: readonly string[] | undefined): string[] {
  if (tools === undefined) return ['--dangerously-skip-permissions'];
  const builtIn = tools.filter((tool) => !tool.startsWith('mcp__')).map((tool) => tool.replace(/\(.*$/s, ''));
  return [
    ...['--permission-mode', 'dontAsk', '--tools', [...new Set(builtIn)].join(',')],
    ...(tools.length === 0 ? [] : ['--allowedTools', ...tools]),
  ];
}

function resumeFlags(resume: string | undefined): string[] {
  if (resume === undefined) return [];
  return resume === 'latest' ? ['--continue'] : ['--resume', resume];
}
