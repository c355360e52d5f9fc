/** Files: every call is a process inside the sprite; no path is followed on the host. */

import type { z } from 'zod';
import type { FileEntry } from '../../contract/schemas.ts';
import type { FileOptions, FileOwner } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { resolveIn } from '../file-path.ts';
import { bytes, json } from '../reply.ts';
import { bodyOf } from '../request-body.ts';
import { httpRoute, type Route } from '../route.ts';
import {
  type ApiFileEntry,
  ChmodBody,
  ChownBody,
  Copied,
  CopyBody,
  Deleted,
  DeleteQuery,
  FileListing,
  ListQuery,
  ModeChanged,
  OwnerChanged,
  type PathQuery,
  ReadQuery,
  RenameBody,
  Renamed,
  WriteQuery,
  Written,
} from '../schemas/files.ts';

const DEFAULT_MODE = '0644';

const read = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/fs/read',
  summary: 'Read a file',
  query: ReadQuery,
  streams: 'bytes',
  errors: 'file',
  async handle({ api, params, query, signal }) {
    const { start, end } = query;
    const options = { ...asUser(query.asRoot), start, end, signal };
    const isPart = start !== undefined || end !== undefined;
    return bytes(api.engine.files.read(params.name, pathOf(query), options), isPart ? 206 : 200);
  },
});

const write = httpRoute({
  method: 'PUT',
  path: '/v1/sprites/{name}/fs/write',
  summary: 'Write a file from the request body, atomically',
  query: WriteQuery,
  takesBytes: true,
  errors: 'file',
  answers: { 200: Written },
  async handle({ api, params, query, request, signal }) {
    const path = pathOf(query);
    const mode = (query.mode ?? DEFAULT_MODE).padStart(4, '0');
    const options = { ...asUser(query.asRoot), mode, signal };
    const { sizeBytes } = await api.engine.files.write(params.name, path, bodyOf(request), options);
    return json({ path, size: sizeBytes, mode });
  },
});

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/fs/list',
  summary: 'List a directory, or the one entry of anything else',
  query: ListQuery,
  errors: 'file',
  answers: { 200: FileListing },
  async handle({ api, params, query, signal }) {
    const path = pathOf(query);
    const { recursive, pattern } = query;
    const options = { ...asUser(query.asRoot), recursive, pattern, signal };
    const entries = (await api.engine.files.list(params.name, path, options)).map(apiEntry);
    return json({ path, entries, count: entries.length });
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}/fs/delete',
  summary: 'Remove a file or an empty directory; with `recursive`, anything',
  query: DeleteQuery,
  errors: 'file',
  answers: { 200: Deleted },
  async handle({ api, params, query, signal }) {
    const path = pathOf(query);
    const { recursive } = query;
    await api.engine.files.remove(params.name, path, { ...asUser(query.asRoot), recursive, signal });
    return json({ deleted: [path], count: 1 });
  },
});

const rename = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/fs/rename',
  summary: 'Rename a file',
  body: RenameBody,
  errors: 'file',
  answers: { 200: Renamed },
  async handle({ api, params, body, signal }) {
    const { source, dest } = movedPaths(body);
    await api.engine.files.move(params.name, source, dest, { ...asUser(body.asRoot), signal });
    return json({ source, dest });
  },
});

const copy = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/fs/copy',
  summary: 'Copy a file; with `recursive`, a directory',
  body: CopyBody,
  errors: 'file',
  answers: { 200: Copied },
  async handle({ api, params, body, signal }) {
    const { source, dest } = movedPaths(body);
    const options = {
      ...asUser(body.asRoot),
      recursive: body.recursive ?? false,
      preserve: body.preserveAttrs ?? false,
      signal,
    };
    const { entries, sizeBytes } = await api.engine.files.copy(params.name, source, dest, options);
    return json({ copied: [{ source, dest }], count: entries, totalBytes: sizeBytes });
  },
});

const chmod = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/fs/chmod',
  summary: 'Change the mode of a file',
  body: ChmodBody,
  errors: 'file',
  answers: { 200: ModeChanged },
  async handle({ api, params, body, signal }) {
    const path = resolveIn(body.workingDir, body.path);
    const options = { ...asUser(body.asRoot), recursive: body.recursive ?? false, signal };
    await api.engine.files.chmod(params.name, path, body.mode, options);
    return json({ affected: [{ path, mode: body.mode.padStart(4, '0') }], count: 1 });
  },
});

const chown = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/fs/chown',
  summary: 'Change the owner of a file; mostly needs `asRoot`',
  body: ChownBody,
  errors: 'file',
  answers: { 200: OwnerChanged },
  async handle({ api, params, body, signal }) {
    const path = resolveIn(body.workingDir, body.path);
    const owner: FileOwner = { uid: body.uid ?? undefined, gid: body.gid ?? undefined };
    if (owner.uid === undefined && owner.gid === undefined) {
      throw new WreckitError('USAGE', 'body: it names neither "uid" nor "gid"');
    }
    const options = { ...asUser(body.asRoot), recursive: body.recursive ?? false, signal };
    await api.engine.files.chown(params.name, path, owner, options);
    return json({ affected: [{ path, uid: body.uid ?? null, gid: body.gid ?? null }], count: 1 });
  },
});

function asUser(asRoot: boolean | null | undefined): FileOptions {
  return asRoot ? { user: 'root' } : {};
}

function pathOf({ path, workingDir }: z.output<typeof PathQuery>): string {
  return resolveIn(workingDir, path);
}

function movedPaths({ source, dest, workingDir }: z.output<typeof RenameBody>) {
  return { source: resolveIn(workingDir, source), dest: resolveIn(workingDir, dest) };
}

function apiEntry(entry: FileEntry): z.output<typeof ApiFileEntry> {
  return {
    name: entry.name,
    path: entry.path,
    type: entry.type,
    size: entry.size_bytes,
    mode: entry.mode,
    modTime: entry.modified_at,
    isDir: entry.type === 'directory',
  };
}

export const fileRoutes: readonly Route[] = [read, write, list, remove, rename, copy, chmod, chown];
