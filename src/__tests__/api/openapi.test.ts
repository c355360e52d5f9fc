import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { openApiDocument } from '../../api/openapi.ts';
import { routes } from '../../api/routes/index.ts';
import { servedApi } from './served-api.ts';

const Parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query']),
  required: z.boolean(),
  schema: z.looseObject({ type: z.string().optional() }),
});
const Operation = z.looseObject({
  summary: z.string().min(5),
  parameters: z.array(Parameter),
  responses: z.looseObject({
    default: z.object({ description: z.string(), content: z.record(z.string(), z.unknown()) }),
  }),
});
const Document = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  components: z.object({
    securitySchemes: z.looseObject({}),
    schemas: z.record(z.string(), z.looseObject({})),
  }),
  paths: z.record(
    z.string(),
    z.record(z.enum(['get', 'put', 'post', 'delete']), Operation.optional()).or(z.looseObject({})),
  ),
});

type Operations = Record<string, z.output<typeof Operation>>;

describe('/openapi.json', () => {
  test('is there for who has the token, and describes every route', async () => {
    await using api = await servedApi();
    expect((await api.ask('/openapi.json', { token: null })).status).toBe(401);
    const document = Document.parse((await api.ask('/openapi.json')).json());
    for (const route of routes) {
      const operations = document.paths[route.path] as Operations;
      const operation = Operation.parse(
        operations[route.kind === 'http' ? route.method.toLowerCase() : 'get'],
      );
      const inPath = operation.parameters
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      expect(inPath.map((name) => `{${name}}`)).toEqual(route.path.match(/\{\w+\}/g) ?? []);
      if (route.kind === 'socket') expect(Object.keys(operation.responses)).toContain('101');
      else
        expect(Object.keys(operation.responses).length).toBeGreaterThan(
          route.path === '/openapi.json' ? 0 : 1,
        );
    }
    expect(Object.keys(document.paths)).toHaveLength(new Set(routes.map(({ path }) => path)).size);
  });

  test('names what a call takes, with the words of the wire', () => {
    const { paths } = Document.parse(openApiDocument(routes, '1.2.3'));
    const operations = (path: string) => paths[path] as Operations;
    const exec = Operation.parse(operations('/v1/sprites/{name}/exec').get);
    const names = exec.parameters.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['name', 'cmd', 'env', 'tty', 'rows', 'cols', 'max_run_after_disconnect']),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(exec.parameters.find(({ name }) => name === 'cmd')?.schema).toMatchObject({ type: 'array' });
    expect(exec.parameters.find(({ name }) => name === 'rows')?.schema).toMatchObject({ type: 'string' });
    const create = JSON.stringify(operations('/v1/sprites').post);
    for (const word of ['"ram_mb"', '"environment"', '"201"', '"url_settings"'])
      expect(create).toContain(word);
    expect(JSON.stringify(operations('/v1/sprites/{name}/fs/read').get)).toContain('FileError');
  });

  test('holds no path of a machine, and no schema that says nothing', () => {
    const text = JSON.stringify(openApiDocument(routes, '1.2.3'));
    expect(text).not.toMatch(/"\/(home\/(?!sprite)|root|tmp|work)\b/);
    expect(text).not.toContain('"schema":{}');
  });
});
