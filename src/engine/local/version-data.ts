/** What this engine says of itself in the handshake (docs/wisp-contract.md). */
import { PROTOCOL_VERSION } from '../../contract/protocol.ts';
import type { VersionData } from '../../contract/schemas.ts';
import { packageVersion } from '../../package-root.ts';

const CAPABILITIES = [
  'start',
  'max-sprites',
  'exec',
  'attach',
  'sessions',
  'logs',
  'stop',
  'files',
  'checkpoints',
  'services',
  'policy',
  'ports',
  'proxy',
  'sleep',
  'selftest',
  'serve',
  'gc',
  'doctor',
];

export function versionData(): VersionData {
  return {
    engine: 'wreckit-wisp',
    protocol: PROTOCOL_VERSION,
    version: packageVersion(),
    capabilities: CAPABILITIES,
    isolation: ['namespace'],
  };
}
