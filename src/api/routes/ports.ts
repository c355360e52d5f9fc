/** What listens in a sprite, and TCP connections to it: one WebSocket each. */
import type { ListeningPort } from '../../engine/engine.ts';
import { capability } from '../capability.ts';
import { findSprite } from '../find-sprite.ts';
import { portChanges, portMessage } from '../port-changes.ts';
import { type Route, socketRoute } from '../route.ts';
import { PortMessage, ProxyAnswer, ProxyRequest } from '../schemas/ports.ts';
import { serveTunnel } from '../serve-tunnel.ts';
import { untilClosed } from '../until-closed.ts';

const MAX_TEXT_BYTES = 64 * 1024;
/** A client of ours may send whatever it read at once. */
const MAX_TUNNEL_BYTES = 32 * 1024 * 1024;

const watch = socketRoute({
  path: '/v1/sprites/{name}/ports/watch',
  summary: 'Watch the listening ports of a sprite',
  messages: { server: PortMessage },
  maxMessageBytes: MAX_TEXT_BYTES,
  async open({ api, params, signal }) {
    const ports = capability(api.engine.ports, 'ports');
    await findSprite(api.engine, params.name, signal);
    return async (socket) => {
      socket.receive(() => undefined);
      const end = untilClosed(socket, api.draining);
      let before: readonly ListeningPort[] | null = null;
      for await (const now of ports.watch(params.name, { signal: socket.closing })) {
        if (before === null) {
          const list = now.map((port) => portMessage('port_opened', port));
          await socket.sendJson({ type: 'port_list', ports: list });
        } else {
          for (const change of portChanges(before, now)) await socket.sendJson(change);
        }
        before = now;
      }
      await end;
    };
  },
});

const proxy = socketRoute({
  path: '/v1/sprites/{name}/proxy',
  summary: 'Open a TCP connection into a sprite',
  description:
    'The client names the target, the server confirms the connection, then bytes flow. Closing ends both directions.',
  messages: { client: ProxyRequest, server: ProxyAnswer },
  maxMessageBytes: MAX_TUNNEL_BYTES,
  async open({ api, params, signal }) {
    const ports = capability(api.engine.ports, 'ports');
    await findSprite(api.engine, params.name, signal);
    return (socket) => serveTunnel(socket, ports, params.name);
  },
});

export const portRoutes: readonly Route[] = [watch, proxy];
