/** The kind `sprite`: another agent, inside a sprite. */
import { WreckitError } from '../errors.ts';
import type { AgentResult } from './agent-events.ts';
import type { SpriteRunOptions } from './agent-options.ts';

export async function runSpriteAgent({ config }: SpriteRunOptions): Promise<AgentResult> {
  throw new WreckitError(
    'UNSUPPORTED',
    `run an agent of kind "${config.kind}": this build has no sprite agent`,
  );
}
