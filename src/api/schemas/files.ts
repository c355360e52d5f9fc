import { z } from 'zod';
import { flag, wholeNumber } from './query.ts';

const path = z.string().min(1).describe('Absolute, or relative to `workingDir`');
const workingDir = z.string().default('/home/sprite').describe('What relative paths start from');
const asRoot = flag.describe('As the root of the sprite instead of its user');
const ModeText = z.string().regex(/^[0-7]{3,4}$/, 'it is not an octal mode such as "0644"');

export const PathQuery = z.object({ path, workingDir, asRoot });
export const ReadQuery = PathQuery.extend({
  start: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('First byte wanted'),
  end: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('First byte not wanted'),
});
export const WriteQuery = PathQuery.extend({
  mode: z.preprocess((text) => (text === '' ? undefined : text), ModeText.optional()),
  mkdirParents: flag.describe('Without meaning: parents are always made'),
  mkdir: flag.describe('The same'),
});
export const ListQuery = PathQuery.extend({
  recursive: flag,
  pattern: z.string().max(1024).optional().describe('Only names that match: `*`, `?`, `[a-z]`'),
});
export const DeleteQuery = PathQuery.extend({ recursive: flag });

const bodyPath = { workingDir: z.string().nullish(), asRoot: z.boolean().nullish() };
const moved = { source: z.string().min(1), dest: z.string().min(1), ...bodyPath };
export const RenameBody = z.object(moved);
export const CopyBody = z.object({
  ...moved,
  recursive: z.boolean().nullish(),
  preserveAttrs: z.boolean().nullish(),
});
const target = { path: z.string().min(1), recursive: z.boolean().nullish(), ...bodyPath };
export const ChmodBody = z.object({ ...target, mode: ModeText });
const Account = z.union([z.int().min(0), z.string().min(1)]);
export const ChownBody = z.object({ ...target, uid: Account.nullish(), gid: Account.nullish() });

export const ApiFileEntry = z.object({
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
  size: z.number(),
  mode: z.string(),
  modTime: z.iso.datetime(),
  isDir: z.boolean(),
});
export const FileListing = z.object({
  path: z.string(),
  entries: z.array(ApiFileEntry),
  count: z.int(),
});
export const Written = z.object({ path: z.string(), size: z.number(), mode: z.string() });
export const Deleted = z.object({ deleted: z.array(z.string()), count: z.int() });
export const Renamed = z.object({ source: z.string(), dest: z.string() });
export const Copied = z.object({
  copied: z.array(Renamed),
  count: z.int(),
  totalBytes: z.number(),
});
export const ModeChanged = z.object({
  affected: z.array(z.object({ path: z.string(), mode: z.string() })),
  count: z.int(),
});
export const OwnerChanged = z.object({
  affected: z.array(z.object({ path: z.string(), uid: Account.nullable(), gid: Account.nullable() })),
  count: z.int(),
});

const MAX_WATCHED_PATHS = 100;
export const WatchRequest = z.object({
  type: z.literal('subscribe'),
  paths: z.array(z.string().min(1)).min(1).max(MAX_WATCHED_PATHS),
  recursive: z.boolean().nullish(),
  workingDir: z.string().nullish(),
});
export const WatchMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('subscribed'), paths: z.array(z.string()) }),
  z.object({
    type: z.literal('event'),
    path: z.string(),
    event: z.enum(['write', 'create', 'remove', 'rename', 'chmod']),
    timestamp: z.iso.datetime(),
    size: z.number(),
    isDir: z.boolean(),
  }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
