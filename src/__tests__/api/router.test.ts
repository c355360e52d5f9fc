import { describe, expect, test } from 'bun:test';
import { createRouter } from '../../api/router.ts';
import { routes } from '../../api/routes/index.ts';
import { servedApi } from './served-api.ts';

const router = createRouter(routes);

function refusal(action: () => unknown): unknown {
  try {
    return action();
  } catch (thrown) {
    const { status, code } = thrown as { status?: number; code?: string };
    return status ?? code;
  }
}

/** What a path parameter may be sent as, to get out of its place. */
const OUTSIDE = [
  '..',
  '.',
  '%2e%2e',
  '%2E%2E%2F%2E%2E',
  '..%2f..%2fetc%2fpasswd',
  '%2Fetc',
  'a%2Fb',
  'a%00b',
  '%00',
  'a%0Ab',
  'a%20b',
  '-o',
  'A',
  '%F0%9F%98%80',
  'a;b',
  'a%5Cb',
  'x'.repeat(64),
  '%252e%252e',
  '',
];

describe('createRouter()', () => {
  test('prefers what is spelled out to a parameter', () => {
    expect(router.http('POST', '/v1/sprites/a/services/signal').route.path).toEndWith('/services/signal');
    expect(router.http('GET', '/v1/sprites/a/services/web')).toMatchObject({
      params: { name: 'a', service: 'web' },
    });
  });

  test('tells an unknown path from an unknown method and from a WebSocket', () => {
    expect(refusal(() => router.http('GET', '/v1/nothing'))).toBe(404);
    expect(refusal(() => router.http('GET', '/v1/sprites/'))).toBe('SPRITE_NAME_INVALID');
    expect(refusal(() => router.http('POST', '/v1/sprites/a/fs/write'))).toBe(405);
    expect(refusal(() => router.http('PATCH', '/v1/sprites'))).toBe(405);
    expect(refusal(() => router.http('GET', '/v1/sprites/a/proxy'))).toBe(426);
    expect(refusal(() => router.socket('/v1/sprites/a/control'))).toBe(404);
    expect(refusal(() => router.socket('/v1/sprites/a'))).toBe(404);
    expect(router.http('HEAD', '/v1/sprites/a/exec').route.method).toBe('GET');
  });

  test.each(routes.filter(({ path }) => path.includes('{')).map((route) => [route.path, route] as const))(
    'lets nothing out of its place: %s',
    (template, route) => {
      for (const outside of OUTSIDE) {
        for (const parameter of template.match(/\{\w+\}/g) ?? []) {
          const path = template.replace(parameter, outside).replace(/\{\w+\}/g, 'a');
          const found = refusal(() =>
            route.kind === 'http' ? router.http(route.method, path) : router.socket(path),
          );
          const isService = /^\{(service|task)\}$/.test(parameter) && /^A$/.test(outside);
          const isCheckpoint = parameter === '{checkpoint_id}' && /^(A|x+)$/.test(outside);
          if (isService || isCheckpoint) continue;
          expect({ path, found: typeof found }).not.toEqual({ path, found: 'object' });
        }
      }
    },
  );
});

test('a request whose path leads elsewhere is answered with 400 or 404, and nothing is done', async () => {
  await using api = await servedApi();
  for (const outside of OUTSIDE) {
    for (const path of [
      `/v1/sprites/${outside}`,
      `/v1/sprites/${outside}/fs/read?path=/etc/passwd`,
      `/v1/sprites/a/exec/${outside}/kill`,
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { status } = await api.ask(path, { method });
        expect({ path, method, isRefused: [400, 404, 405].includes(status) }).toEqual({
          path,
          method,
          isRefused: true,
        });
      }
    }
    using client = api.connect(`/v1/sprites/${outside}/exec?cmd=true`);
    await expect(client.opened).rejects.toThrow(/refused with 40[04]/);
  }
  expect(await api.engine.list()).toEqual([]);
});

test('/control is refused at once, so that clients use the direct calls', async () => {
  await using api = await servedApi();
  await api.askJson('POST', '/v1/sprites', { name: 'demo' });
  const startedAt = performance.now();
  using client = api.connect('/v1/sprites/demo/control');
  await expect(client.opened).rejects.toThrow('refused with 404');
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
