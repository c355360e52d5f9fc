/** What a configuration asks of sprites: the one a run works in, and those its agent starts. */
import type { Network } from '../../contract/schemas.ts';
import type { InnerAgentConfig, SpriteAgentConfig } from '../../schemas.ts';
import type { SpriteStartSpec } from '../wisp-client/wisp-client.ts';

type Settings = Pick<SpriteAgentConfig, 'image' | 'defaultMemory' | 'defaultCPUs' | 'network' | 'allow'>;

/** `allow` is for the network "filtered" alone: whoever starts a sprite with another one leaves it out. */
export function startDefaults(
  { image, defaultMemory, defaultCPUs, allow }: Settings,
  softLimits: boolean | undefined,
): SpriteStartSpec {
  return {
    image,
    memory: defaultMemory,
    cpus: defaultCPUs,
    softLimits,
    // Beside the usual names, among them those of the agents' models.
    allow: allow.length === 0 ? undefined : ['defaults', ...allow],
  };
}

/** Names that are allowed ask for a network that lets them through. */
export function askedNetwork({ network, allow }: Settings): Network | undefined {
  return network ?? (allow.length > 0 ? 'filtered' : undefined);
}

/** An agent with a model must reach it, and little else. A program of its own gets nothing it did not ask for. */
export function networkFor(agent: InnerAgentConfig): Network {
  switch (agent.kind) {
    case 'process':
    // Its model is reached from here; only its tools are in the sprite.
    case 'rlm':
      return 'none';
    default:
      return 'filtered';
  }
}
