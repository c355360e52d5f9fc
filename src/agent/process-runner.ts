/** The kind `process`: any command that takes a prompt. */
import type { ProcessAgentConfig } from '../schemas.ts';
import { agentEnv } from './agent-env.ts';
import { ProcessStream } from './cli/process-stream.ts';
import { FILES_DIR } from './command-host.ts';
import { CompletionSignal } from './completion-signal.ts';
import { type AgentInvocation, type InvocationRequest, refuseOption, runVariables } from './invocation.ts';

const PROMPT = '{prompt}';
const PROMPT_FILE = '{prompt_file}';

/**
 * The prompt goes to stdin; or to where `{prompt}` stands in the args, or into a file where `{prompt_file}`
 * does. Success is the result of the tool's own stream if it has a known one, else the completion signal in
 * its words on stdout, else (no signal configured) exit 0.
 */
export function processInvocation(config: ProcessAgentConfig, request: InvocationRequest): AgentInvocation {
  const { prompt, mcpServers, allowedTools, env, sourceEnv = process.env, isSandbox } = request;
  const why = 'nobody knows how this command takes it: put it into agent.args';
  refuseOption('process', 'mcpServers', mcpServers, why);
  refuseOption('process', 'allowedTools', allowedTools, why);
  const hasPrompt = config.args.some((arg) => arg.includes(PROMPT));
  const hasFile = config.args.some((arg) => arg.includes(PROMPT_FILE));
  const signal = config.completion_signal;
  return {
    kind: 'process',
    argv: [config.command, ...config.args.map((arg) => placePrompt(arg, prompt))],
    env: agentEnv({
      families: 'all',
      source: sourceEnv,
      overrides: [config.env, env, runVariables(request)],
      isThisMachine: !isSandbox,
    }),
    stdin: hasPrompt || hasFile ? null : Buffer.from(prompt),
    files: hasFile ? { 'prompt.txt': prompt } : {},
    openStream: () => new ProcessStream(signal === undefined ? null : new CompletionSignal(signal, prompt)),
    installHint: isSandbox
      ? 'set agent.command to a program that the sprite has: of /usr and /opt of this machine, of the project, or put there by "setup"'
      : 'set agent.command to a program that is there, or to the path of one',
  };
}

/** One pass: braces in the prompt itself stay what they are. */
function placePrompt(arg: string, prompt: string): string {
  return arg.replace(/\{prompt\}|\{prompt_file\}/g, (place) =>
    place === PROMPT ? prompt : `${FILES_DIR}/prompt.txt`,
  );
}
