/** What sessions have printed, as resources that a client may read. */
import { quote } from '../../contract/names.ts';
import type { Session } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { SpriteScope } from '../rlm/sprite-scope.ts';

/** The end of a log is what is looked for. */
const MAX_LOG_BYTES = 1024 * 1024;
const MAX_LISTED = 200;
const URI = /^sprite:\/\/([^/]+)\/sessions\/([^/]+)\/(stdout|stderr)$/;

export async function listSessionLogs(scope: SpriteScope, signal: AbortSignal) {
  const resources: { uri: string; name: string; description: string; mimeType: string; size: number }[] = [];
  for (const { name, state } of await scope.list({ signal })) {
    if (state === 'creating' || state === 'error' || state === 'unknown') continue;
    for (const session of await sessionsOf(scope, name, signal)) {
      for (const stream of ['stdout', 'stderr'] as const) {
        const size = session[`${stream}_bytes`];
        if (size === 0 && stream === 'stderr') continue;
        resources.push({
          uri: `sprite://${name}/sessions/${session.id}/${stream}`,
          name: `${name}: ${session.command.join(' ').slice(0, 80)} (${stream})`,
          description: `${stateOf(session)}, started ${session.created_at}`,
          mimeType: 'text/plain',
          size,
        });
      }
    }
  }
  return resources.slice(-MAX_LISTED);
}

/** One sprite that is just being removed, or broken, does not hide the logs of the others. */
async function sessionsOf(scope: SpriteScope, name: string, signal: AbortSignal): Promise<Session[]> {
  try {
    return await scope.client.sessions(name, { signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof WreckitError)) throw error;
    return [];
  }
}

/** Throws `USAGE`, `SPRITE_NOT_FOUND`, `SESSION_NOT_FOUND`, `POLICY_DENIED`. */
export async function readSessionLog(scope: SpriteScope, uri: string, signal: AbortSignal) {
  const [, name = '', sessionId = '', stream] = URI.exec(uri) ?? [];
  if (stream !== 'stdout' && stream !== 'stderr') {
    throw new WreckitError('USAGE', `read ${quote(uri)}: it is not like sprite://NAME/sessions/ID/stdout`);
  }
  await scope.sprite(name, { signal });
  const { session } = await scope.client.attach(name, sessionId, { signal });
  const from = Math.max(session[`${stream}_start`], session[`${stream}_bytes`] - MAX_LOG_BYTES);
  const chunks: Uint8Array[] = [];
  for await (const chunk of scope.client.logs(name, sessionId, { from, stream, signal })) chunks.push(chunk);
  const marker = from > 0 ? `[… ${from} bytes left out …]\n` : '';
  return { uri, mimeType: 'text/plain', text: marker + decodeUtf8(Buffer.concat(chunks)) };
}

function stateOf({ state, exit_code }: Session): string {
  return state === 'exited' ? `exited with ${exit_code}` : state;
}
