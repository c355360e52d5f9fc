/** The OpenAPI document of the routes, from the very schemas that check what comes in. */
import { z } from 'zod';
import type { HttpRoute, Route, SocketRoute } from './route.ts';

type Json = Record<string, unknown>;

const ErrorBody = z.looseObject({
  error: z.string().describe('Machine code'),
  message: z.string(),
  hint: z.string().optional(),
});
const FileErrorBody = z.looseObject({
  error: z.string().describe('What is wrong, for people'),
  code: z.string().describe('`ENOENT`, `EACCES`, …'),
  path: z.string(),
});

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const item = paths[route.path] ?? {};
    const method = route.kind === 'http' ? route.method.toLowerCase() : 'get';
    const operation = route.kind === 'http' ? httpOperation(route) : socketOperation(route);
    // A GET and a WebSocket may share a path: the document has one place for both.
    const present = item[method];
    paths[route.path] = { ...item, [method]: present ? merged(present as Json, operation) : operation };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sprites API, as wisp serve speaks it', version },
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(ErrorBody), FileError: jsonSchema(FileErrorBody) },
    },
    paths,
  };
}

function httpOperation(route: HttpRoute): Json {
  return {
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: parametersOf(route),
    ...bodyOf(route),
    responses: { ...answersOf(route), default: failureOf(route) },
  };
}

function socketOperation(route: SocketRoute): Json {
  const { client, server } = route.messages;
  return {
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: parametersOf(route),
    responses: { 101: { description: 'A WebSocket' }, default: failureOf(route) },
    'x-websocket': {
      maxMessageBytes: route.maxMessageBytes,
      ...(client === null ? {} : { clientText: jsonSchema(client, 'input') }),
      ...(server === null ? {} : { serverText: jsonSchema(server) }),
    },
  };
}

function merged(one: Json, other: Json): Json {
  const byName = new Map<string, Json>();
  for (const parameter of [...(one.parameters as Json[]), ...(other.parameters as Json[])]) {
    byName.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  return {
    ...other,
    ...one,
    summary: `${one.summary}; as a WebSocket: ${other.summary}`,
    parameters: [...byName.values()],
    responses: { ...(other.responses as Json), ...(one.responses as Json) },
  };
}

function parametersOf({ path, query, repeated = [] }: Route): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { properties = {}, required = [] } = query === null ? {} : jsonSchema(query, 'input');
  const inQuery = Object.entries(properties as Record<string, Json>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: 'query',
      required: (required as string[]).includes(name) && !repeated.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }),
  );
  return [...inPath, ...inQuery];
}

function bodyOf({ body, bodyKind }: HttpRoute): Json {
  if (bodyKind === 'bytes') {
    return { requestBody: { content: { 'application/octet-stream': {} } } };
  }
  if (body === null) return {};
  return { requestBody: { content: { 'application/json': { schema: jsonSchema(body, 'input') } } } };
}

function answersOf({ answers = {}, streams }: HttpRoute): Json {
  if (streams === 'bytes')
    return { 200: { description: 'Bytes', content: { 'application/octet-stream': {} } } };
  const type = streams === 'ndjson' ? 'application/x-ndjson' : 'application/json';
  const entries = Object.entries(answers).map(([status, schema]) => {
    const description = streams === 'ndjson' ? 'One of these per line' : 'Done';
    const content = schema === null ? {} : { content: { [type]: { schema: jsonSchema(schema) } } };
    return [status, { description, ...content }];
  });
  return Object.fromEntries(entries);
}

function failureOf({ errors }: Route): Json {
  const name = errors === 'file' ? 'FileError' : 'Error';
  const schema = { $ref: `#/components/schemas/${name}` };
  return { description: 'What went wrong', content: { 'application/json': { schema } } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}
