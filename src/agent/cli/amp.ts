/** Amp (measured with 0.0.1774569934): `amp -x --stream-json`, prompt on stdin, Claude's form on stdout. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { AmpSdkAgentConfig } from '../../schemas.ts';
import { agentEnv } from '../agent-env.ts';
import { FILES_DIR } from '../command-host.ts';
import { type AgentInvocation, type InvocationRequest, installHint, runVariables } from '../invocation.ts';
import { ClaudeStream } from './claude-stream.ts';

const MODES = ['deep', 'free', 'large', 'rush', 'smart'];

export function ampInvocation(config: AmpSdkAgentConfig, request: InvocationRequest): AgentInvocation {
  const { prompt, mcpServers, allowedTools, env, sourceEnv = process.env, isSandbox } = request;
  const files: Record<string, string> = {};
  if (mcpServers !== undefined) files['mcp.json'] = JSON.stringify(mcpServers);
  if (allowedTools !== undefined)
    files['settings.json'] = JSON.stringify({
      'amp.tools.enable': allowedTools,
      'amp.updates.mode': 'disabled',
    });
  return {
    kind: 'amp_sdk',
    argv: [
      'amp',
      ...resumeArgs(config.resume),
      ...['-x', '--stream-json', '--dangerously-allow-all', '--no-notifications', '--no-ide'],
      ...modeFlags(config.model),
      ...(mcpServers === undefined ? [] : ['--mcp-config', `${FILES_DIR}/mcp.json`]),
      ...(allowedTools === undefined ? [] : ['--settings-file', `${FILES_DIR}/settings.json`]),
    ],
    env: agentEnv({
      families: ['amp'],
      source: sourceEnv,
      overrides: [config.env, env, runVariables(request)],
      isThisMachine: !isSandbox,
    }),
    stdin: Buffer.from(prompt),
    files,
    openStream: () => new ClaudeStream(),
    installHint: installHint('@sourcegraph/amp', isSandbox),
  };
}

function resumeArgs(resume: string | undefined): string[] {
  if (resume === undefined) return [];
  return ['threads', 'continue', resume === 'latest' ? '--last' : resume];
}

/** Amp chooses the model by itself; what can be chosen is its mode. */
function modeFlags(model: string | undefined): string[] {
  if (model === undefined) return [];
  if (MODES.includes(model)) return ['--mode', model];
  throw new WreckitError(
    'UNSUPPORTED',
    `run an agent of kind "amp_sdk": the model ${quote(model)} can't be chosen, only a mode (${MODES.join(', ')})`,
    { hint: 'leave agent.model out or name a mode', details: { kind: 'amp_sdk', option: 'model' } },
  );
}
