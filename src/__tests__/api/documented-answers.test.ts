/** What the server answers has the shape its document promises: both come from the same schemas, or should. */
import { expect, test } from 'bun:test';
import { routes } from '../../api/routes/index.ts';
import { newSprite, servedApi } from './served-api.ts';

/** One request per documented JSON answer that a sprite can give at rest; `{name}` is its name. */
const REQUESTS: readonly (readonly [method: string, template: string, path: string, body?: unknown])[] = [
  ['GET', '/v1/sprites', '/v1/sprites'],
  ['GET', '/v1/sprites/{name}', '/v1/sprites/demo'],
  ['PUT', '/v1/sprites/{name}', '/v1/sprites/demo', { labels: ['a=b'] }],
  ['GET', '/v1/sprites/{name}/check', '/v1/sprites/demo/check'],
  ['GET', '/v1/sprites/{name}/exec', '/v1/sprites/demo/exec'],
  ['PUT', '/v1/sprites/{name}/fs/write', '/v1/sprites/demo/fs/write?path=file', 'text'],
  ['GET', '/v1/sprites/{name}/fs/list', '/v1/sprites/demo/fs/list?path=.'],
  ['POST', '/v1/sprites/{name}/fs/copy', '/v1/sprites/demo/fs/copy', { source: 'file', dest: 'copy' }],
  ['POST', '/v1/sprites/{name}/fs/rename', '/v1/sprites/demo/fs/rename', { source: 'copy', dest: 'moved' }],
  ['POST', '/v1/sprites/{name}/fs/chmod', '/v1/sprites/demo/fs/chmod', { path: 'moved', mode: '0600' }],
  ['DELETE', '/v1/sprites/{name}/fs/delete', '/v1/sprites/demo/fs/delete?path=moved'],
  ['GET', '/v1/sprites/{name}/checkpoints', '/v1/sprites/demo/checkpoints'],
  ['GET', '/v1/sprites/{name}/services', '/v1/sprites/demo/services'],
  ['GET', '/v1/sprites/{name}/policy/network', '/v1/sprites/demo/policy/network'],
  ['POST', '/v1/sprites/{name}/restart', '/v1/sprites/demo/restart'],
];

test('an answer is what its schema in /openapi.json says, with no key beside', async () => {
  await using api = await servedApi();
  await newSprite(api);
  for (const [method, template, path, body] of REQUESTS) {
    const route = routes.find((one) => one.kind === 'http' && one.method === method && one.path === template);
    const { status, body: answer } =
      typeof body === 'string'
        ? await api
            .ask(path, { method, body })
            .then((whole) => ({ status: whole.status, body: whole.json() }))
        : await api.askJson(method, path, body);
    const schema = route?.answers?.[status];
    if (schema === undefined || schema === null) {
      throw new Error(`${method} ${template}: ${status} is not documented: ${JSON.stringify(answer)}`);
    }
    expect({ template, answer: schema.parse(answer) }).toEqual({ template, answer });
  }
});
