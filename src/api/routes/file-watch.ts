/** `fs/watch`: the client subscribes, again for other paths; then each change is a message. */
import type { FileChange } from '../../engine/engine.ts';
import { toWreckitError } from '../../errors.ts';
import type { ApiContext } from '../api-context.ts';
import type { ApiSocket } from '../api-socket.ts';
import { resolveIn } from '../file-path.ts';
import { findSprite } from '../find-sprite.ts';
import { parseJson } from '../parse-json.ts';
import { type Route, socketRoute } from '../route.ts';
import { WatchMessage, WatchRequest } from '../schemas/files.ts';
import { untilClosed } from '../until-closed.ts';

const MAX_MESSAGE_BYTES = 512 * 1024;

const watch = socketRoute({
  path: '/v1/sprites/{name}/fs/watch',
  summary: 'Watch files for changes',
  description: 'A second `subscribe` replaces the first. Changes in quick succession may be reported as one.',
  errors: 'file',
  messages: { client: WatchRequest, server: WatchMessage },
  maxMessageBytes: MAX_MESSAGE_BYTES,
  async open({ api, params, signal }) {
    await findSprite(api.engine, params.name, signal);
    return async (socket) => {
      let stop = new AbortController();
      const end = untilClosed(socket, api.draining);
      socket.receive((message) => {
        const request = message.kind === 'text' ? WatchRequest.safeParse(parseJson(message.text)) : null;
        if (!request?.success) {
          return void socket.sendJson({
            type: 'error',
            message: 'message: it is no "subscribe" with "paths"',
          });
        }
        stop.abort();
        stop = new AbortController();
        const { paths, workingDir, recursive } = request.data;
        const resolved = paths.map((path) => resolveIn(workingDir, path));
        const until = AbortSignal.any([stop.signal, socket.closing]);
        void tell(socket, api, params.name, resolved, recursive ?? false, until);
      });
      await end;
      stop.abort();
    };
  },
});

async function tell(
  socket: ApiSocket,
  { engine }: ApiContext,
  name: string,
  paths: readonly string[],
  recursive: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    const onReady = (): void => void socket.sendJson({ type: 'subscribed', paths });
    for await (const change of engine.files.watch(name, paths, { recursive, onReady, signal })) {
      if (!(await socket.sendJson(eventOf(change)))) return;
    }
  } catch (thrown) {
    if (signal.aborted) return;
    await socket.sendJson({ type: 'error', message: toWreckitError(thrown).message });
  }
}

function eventOf({ path, type, timeMs, sizeBytes, isDir }: FileChange): unknown {
  const timestamp = new Date(timeMs).toISOString();
  return { type: 'event', path, event: type, timestamp, size: sizeBytes, isDir };
}

export const fileWatchRoutes: readonly Route[] = [watch];
