import type { IncomingMessage } from 'node:http';

/**
 * The bytes of a body, as they come. Whoever stops reading leaves the request alone: destroyed, it would take
 * the answer with it.
 */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  yield* request.iterator({ destroyOnReturn: false });
}
