import type { VersionData } from '../../contract/schemas.ts';
import { createEngine } from '../create-engine.ts';
import { chosenEngine } from '../engine-choice.ts';
import type { WispContext, WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp version --json', 'The handshake: engine, protocol, capabilities']],
  async run(context) {
    const data = await versionOf(context);
    const lines = [
      `${data.engine} ${data.version}, protocol ${data.protocol}`,
      `isolation: ${data.isolation.join(', ') || 'none'}`,
      `can: ${data.capabilities.join(', ')}`,
    ];
    return { data, text: lines.join('\n') };
  },
};

/** Of the cloud without a token: a handshake is no reason to ask for one. */
async function versionOf(context: WispContext): Promise<VersionData> {
  const { io, globals, signal } = context;
  if (chosenEngine(io.env, globals).name === 'local')
    return await (await createEngine(context)).version({ signal });
  const { apiTarget } = await import('../cloud/access.ts');
  const { cloudVersion } = await import('../../engine/cloud/cloud-version.ts');
  return cloudVersion(apiTarget(io.env));
}
