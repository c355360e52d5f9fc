/** Whether an agent can use the material it is given, known before any sprite is made. */
import type { AgentConfigUnion } from '../schemas.ts';
import type { AgentRunOptions } from './agent-options.ts';
import { refuseOption } from './invocation.ts';
import { loopModeOf } from './rlm/loop-mode.ts';

/** Throws `UNSUPPORTED` for a kind that takes none, `USAGE` where it is too much for the mode that is asked for. */
export function checkContext(
  config: AgentConfigUnion,
  { prompt, context }: Pick<AgentRunOptions, 'prompt' | 'context'>,
): void {
  const agent = config.kind === 'sprite' ? config.agent : config;
  if (agent.kind === 'rlm') loopModeOf(agent, prompt, context ?? []);
  else
    refuseOption(
      agent.kind,
      'context',
      context,
      'it reads files of the project itself: name them in the prompt',
    );
}
