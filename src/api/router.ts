/** Which route a request means. A literal segment wins over a parameter: `services/signal` is no service. */
import { HttpRefusal } from './http-refusal.ts';
import { checkParams, pathSegments } from './path-params.ts';
import type { HttpRoute, PathParams, Route, SocketRoute } from './route.ts';

export interface Match<R extends Route> {
  readonly route: R;
  readonly params: PathParams;
}

interface Candidate<R extends Route> {
  readonly route: R;
  readonly segments: readonly string[];
}

export interface Router {
  /** Throws `HttpRefusal` 404, 405, and what a parameter's check throws. */
  http(method: string, path: string): Match<HttpRoute>;
  socket(path: string): Match<SocketRoute>;
}

export function createRouter(routes: readonly Route[]): Router {
  const withSegments = <R extends Route>(route: R): Candidate<R> => ({
    route,
    segments: route.path.split('/').slice(1),
  });
  const http = routes.filter((route) => route.kind === 'http').map(withSegments);
  const sockets = routes.filter((route) => route.kind === 'socket').map(withSegments);
  return {
    http(method, path) {
      const segments = pathSegments(path);
      // HEAD is GET without its body, which the HTTP server leaves out by itself.
      const wanted = method === 'HEAD' ? 'GET' : method;
      const found = best(
        http.filter(({ route }) => route.method === wanted),
        segments,
      );
      if (found !== null) return found;
      throw notFound(path, allowed(http, segments), best(sockets, segments) !== null);
    },
    socket(path) {
      const segments = pathSegments(path);
      const found = best(sockets, segments);
      if (found !== null) return found;
      throw notFound(path, [], false);
    },
  };
}

function notFound(path: string, methods: readonly string[], isSocket: boolean): HttpRefusal {
  if (methods.length > 0) {
    const allow = methods.join(', ');
    return new HttpRefusal(405, 'method_not_allowed', `this path takes ${allow}`, { Allow: allow });
  }
  if (isSocket) {
    return new HttpRefusal(426, 'upgrade_required', 'this path is a WebSocket', { Upgrade: 'websocket' });
  }
  return new HttpRefusal(404, 'not_found', `there is nothing at ${path.slice(0, 200)}`);
}

function allowed(http: readonly Candidate<HttpRoute>[], segments: readonly string[]): string[] {
  const methods = http
    .filter((candidate) => fit(candidate, segments) !== null)
    .map(({ route }) => route.method);
  return [...new Set(methods)].sort();
}

function best<R extends Route>(
  candidates: readonly Candidate<R>[],
  segments: readonly string[],
): Match<R> | null {
  let winner: { route: R; found: Record<string, string> } | null = null;
  for (const candidate of candidates) {
    const found = fit(candidate, segments);
    if (found === null) continue;
    if (winner === null || Object.keys(found).length < Object.keys(winner.found).length) {
      winner = { route: candidate.route, found };
    }
  }
  return winner === null ? null : { route: winner.route, params: checkParams(winner.found) };
}

function fit(candidate: Candidate<Route>, segments: readonly string[]): Record<string, string> | null {
  if (candidate.segments.length !== segments.length) return null;
  const found: Record<string, string> = {};
  for (const [index, wanted] of candidate.segments.entries()) {
    const segment = segments[index] ?? '';
    if (wanted.startsWith('{')) found[wanted.slice(1, -1)] = segment;
    else if (wanted !== segment) return null;
  }
  return found;
}
