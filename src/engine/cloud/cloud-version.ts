/** What this engine says of itself in the handshake (docs/wisp-contract.md). Nobody is asked for it. */
import { PROTOCOL_VERSION } from '../../contract/protocol.ts';
import type { VersionData } from '../../contract/schemas.ts';
import { packageVersion } from '../../package-root.ts';
import type { ApiTarget } from './api-target.ts';
import { isolationOf } from './sprite-text.ts';

const CAPABILITIES = [
  'start',
  'exec',
  'attach',
  'sessions',
  'logs',
  'files',
  'checkpoints',
  'services',
  'policy',
  'ports',
  'gc',
  'doctor',
];

/** What the local engine can do and the API has no call for. */
export const CLOUD_LACKS = ['stop', 'fork', 'images', 'limit of processes', 'selftest'];

export function cloudVersion(target: ApiTarget): VersionData {
  const isolation = isolationOf({}, target);
  return {
    engine: 'wreckit-wisp',
    protocol: PROTOCOL_VERSION,
    version: packageVersion(),
    capabilities: CAPABILITIES,
    isolation: isolation === null ? [] : [isolation],
    backend: 'cloud',
    api_url: target.url,
  };
}
