/** The kinds of agent that are one command line: each as an invocation. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import type { AgentConfigUnion, InnerAgentConfig } from '../schemas.ts';
import { ampInvocation } from './cli/amp.ts';
import { claudeInvocation } from './cli/claude.ts';
import { codexInvocation } from './cli/codex.ts';
import { opencodeInvocation } from './cli/opencode.ts';
import type { AgentInvocation, InvocationRequest } from './invocation.ts';
import { processInvocation } from './process-runner.ts';

/** It runs on this machine and inside a sprite alike. */
export type CommandAgentConfig = Exclude<InnerAgentConfig, { kind: 'rlm' }>;

/** The command of an agent. Throws `UNSUPPORTED` for an option that the kind can't honour. */
export function commandInvocation(config: CommandAgentConfig, request: InvocationRequest): AgentInvocation {
  switch (config.kind) {
    case 'process':
      return processInvocation(config, request);
    case 'claude_sdk':
      return claudeInvocation(config, request);
    case 'codex_sdk':
      return codexInvocation(config, request);
    case 'opencode_sdk':
      return opencodeInvocation(config, request);
    case 'amp_sdk':
      return ampInvocation(config, request);
    default:
      return refuseKind(config);
  }
}

/** For what the types rule out and a caller without types can still bring: throws `CONFIG_INVALID`. */
export function refuseKind(config: never): never {
  const { kind } = config as AgentConfigUnion;
  throw new WreckitError('CONFIG_INVALID', `run an agent: ${quote(kind)} is not a kind of agent`);
}
