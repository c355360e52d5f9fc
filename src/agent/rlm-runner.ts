/** The kind `rlm`: a model loop on this machine whose tools run in sprites. */
import { WreckitError } from '../errors.ts';
import type { AgentResult } from './agent-events.ts';
import type { RlmRunOptions } from './agent-options.ts';

export async function runRlmAgent({ config }: RlmRunOptions): Promise<AgentResult> {
  throw new WreckitError('UNSUPPORTED', `run an agent of kind "${config.kind}": this build has no rlm agent`);
}
