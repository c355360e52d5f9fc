/** The tools for sprites: start, use and remove sandboxes. Names and shapes are part of the package's interface. */
import { z } from 'zod';
import type { Session, Sprite } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { decodeUtf8, wholeUtf8 } from '../../process/text.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { LogsOptions } from '../wisp-client/wisp-client.ts';
import { looksBinary } from './file-text.ts';
import { type ProjectAccess, pullPaths, spawnWithProject } from './project-access.ts';
import { connectionInfo, execAnswer, sessionFacts, spriteFacts } from './sprite-answers.ts';
import type { SpriteScope } from './sprite-scope.ts';
import { type AgentTool, defineTool } from './tool.ts';

export interface SpriteToolOptions {
  readonly scope: SpriteScope;
  /** The project on this machine, for push_project and pull_from_sprite; absent: both are refused or left out. */
  readonly project?: ProjectAccess | undefined;
  /** Of one command, and what it has where it names no time; 600 s, and a day for one that names it, when absent. */
  readonly maxExecSeconds?: number | undefined;
}

const DEFAULT_EXEC_SECONDS = 600;
const MAX_EXEC_SECONDS = 86_400;
const MAX_CAPTURE = '256KiB';
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_ENTRIES = 1000;
const DEFAULT_TAIL_BYTES = 16_384;

const name = z.string().describe('name of the sprite');
const insidePath = z
  .string()
  .min(1)
  .describe('path inside the sprite; relative ones start at its project directory');

export function spriteTools(options: SpriteToolOptions): AgentTool[] {
  return [
    ...lifeTools(options),
    ...commandTools(options),
    ...fileTools(options),
    ...projectTools(options),
    ...stateTools(options),
  ];
}

function lifeTools({ scope, project }: SpriteToolOptions): AgentTool[] {
  return [
    defineTool({
      name: 'spawn_sprite',
      description:
        'Start a new sandbox (a "sprite"): a private Linux machine with its own files and processes. Kill it when it is no longer needed.',
      input: z.strictObject({
        name: z.string().optional().describe('1 to 63 of a-z, 0-9 and "-"; made up when absent'),
        memory: z.string().optional().describe('most memory, such as "512MiB"'),
        cpus: z.string().optional().describe('most CPUs, such as "1" or "0.5"'),
        image: z.string().optional().describe('root file system; the tools of this machine when absent'),
        network: z.enum(['none', 'filtered', 'open']).optional().describe('what it may reach'),
        ttl: z.string().optional().describe('it may be removed after this long, such as "2h"'),
        push_project: z.boolean().optional().describe("put the user's project into it"),
      }),
      async run({ name: wanted, push_project, ...spec }, { signal }) {
        if (push_project !== true) return connectionInfo(await scope.spawn(wanted, spec, { signal }));
        if (project === undefined) throw noProject();
        const { sprite, pushed } = await spawnWithProject(project, scope, wanted, spec, signal);
        return { ...connectionInfo(sprite), project: pushed };
      },
    }),
    defineTool({
      name: 'list_sprites',
      description: 'The sprites you may use, with their state.',
      isReadOnly: true,
      input: z.strictObject({}),
      async run(_args, { signal }) {
        return { sprites: (await scope.list({ signal })).map(spriteFacts) };
      },
    }),
    defineTool({
      name: 'kill_sprite',
      description: 'Remove a sprite with everything in it. This cannot be undone.',
      input: z.strictObject({ name }),
      async run(args, { signal }) {
        return { killed: await scope.kill([args.name], { signal }) };
      },
    }),
  ];
}

function commandTools({ scope, maxExecSeconds = MAX_EXEC_SECONDS }: SpriteToolOptions): AgentTool[] {
  const usualSeconds = Math.min(DEFAULT_EXEC_SECONDS, maxExecSeconds);
  return [
    defineTool({
      name: 'exec_in_sprite',
      description:
        'Run a command in a sprite and wait for its end. The command is a list of words, not a shell line: use ["sh","-c","…"] for one. With background it returns at once; look at it later with attach_sprite.',
      input: z.strictObject({
        name,
        command: z.array(z.string()).min(1).describe('program and its arguments'),
        dir: z.string().optional().describe('absolute directory to run it in'),
        env: z.record(z.string(), z.string()).optional().describe('variables of the command'),
        timeout_s: z
          .number()
          .positive()
          .max(maxExecSeconds)
          .optional()
          .describe(
            `the command is ended after this long; ${usualSeconds} when absent, none with background`,
          ),
        stdin: z.string().optional().describe('what it reads'),
        background: z.boolean().optional().describe('return once it runs'),
      }),
      async run({ name: sprite, command, dir, env, timeout_s, stdin, background }, { signal }) {
        using _slot = scope.budget.takeExec();
        const known = await scope.sprite(sprite, { signal });
        const common = { dir: dir ?? workdirOf(known), env, stdin, signal };
        if (background === true) {
          const limit = timeout_s === undefined ? {} : { commandTimeout: duration(timeout_s) };
          const { session_id } = await scope.client.execDetached(sprite, command, { ...common, ...limit });
          return {
            session_id,
            state: 'running',
            note: `see its output: attach_sprite {"name":"${sprite}","session_id":"${session_id}"}`,
          };
        }
        const seconds = Math.min(timeout_s ?? usualSeconds, secondsLeft(scope));
        const done = await scope.client.exec(sprite, command, {
          ...common,
          commandTimeout: duration(seconds),
          maxOutput: MAX_CAPTURE,
        });
        return execAnswer(done);
      },
    }),
    defineTool({
      name: 'attach_sprite',
      description:
        'Look at a session of a sprite: its state and output from an offset on (the latest when absent). Go on from next_offset. Without session_id: the newest session.',
      isReadOnly: true,
      input: z.strictObject({
        name,
        session_id: z.string().optional(),
        from_offset: z.int().min(0).optional().describe('byte of its output to begin at'),
        max_bytes: z.int().min(1).max(1_000_000).optional().describe('at most this much of it'),
        stream: z.enum(['stdout', 'stderr']).optional().describe('which output; stdout when absent'),
      }),
      async run(args, { signal }) {
        const {
          name: sprite,
          session_id,
          from_offset,
          max_bytes = DEFAULT_TAIL_BYTES,
          stream = 'stdout',
        } = args;
        await scope.sprite(sprite, { signal });
        const session = await sessionOf(scope, sprite, session_id, signal);
        if (session === null) return { name: sprite, session: null, note: 'nothing has been run in it yet' };
        const end = session[`${stream}_bytes`];
        // What a flood has pushed out of the log is gone.
        const start = Math.max(from_offset ?? end - max_bytes, session[`${stream}_start`]);
        const read = await readLog(scope, sprite, session.id, { from: start, stream, signal }, max_bytes);
        const bytes = start + read.byteLength < end ? wholeUtf8(read) : read;
        const next = start + bytes.byteLength;
        return {
          name: sprite,
          session: sessionFacts(session),
          ...(stream === 'stdout' ? {} : { stream }),
          output: decodeUtf8(bytes),
          from_offset: start,
          next_offset: next,
          more: next < end,
        };
      },
    }),
  ];
}

function fileTools({ scope }: SpriteToolOptions): AgentTool[] {
  return [
    defineTool({
      name: 'read_sprite_file',
      description: 'Read a file of a sprite as text.',
      isReadOnly: true,
      input: z.strictObject({
        name,
        path: insidePath,
        max_bytes: z.int().min(1).max(MAX_FILE_BYTES).optional(),
      }),
      async run({ name: sprite, path, max_bytes = MAX_FILE_BYTES }, { signal }) {
        const known = await scope.sprite(sprite, { signal });
        const bytes = await scope.client.readFile(sprite, pathIn(known, path), {
          signal,
          maxBytes: 64 * 1024 * 1024,
        });
        if (looksBinary(bytes)) return { path, size_bytes: bytes.byteLength, binary: true, content: null };
        const content = decodeUtf8(bytes.subarray(0, max_bytes));
        const omitted = Math.max(0, bytes.byteLength - max_bytes);
        return {
          path,
          size_bytes: bytes.byteLength,
          content,
          ...(omitted > 0 ? { omitted_bytes: omitted } : {}),
        };
      },
    }),
    defineTool({
      name: 'write_sprite_file',
      description:
        'Write a file of a sprite; one that is there is replaced. Directories on the way are made.',
      input: z.strictObject({
        name,
        path: insidePath,
        content: z.string(),
        mode: z
          .string()
          .regex(/^0?[0-7]{3}$/)
          .optional()
          .describe('permissions, such as "0755"'),
      }),
      async run({ name: sprite, path, content, mode }, { signal }) {
        const known = await scope.sprite(sprite, { signal });
        const bytes = Buffer.from(content);
        await scope.client.writeFile(sprite, pathIn(known, path), bytes, { signal, mode });
        return { path, written_bytes: bytes.byteLength };
      },
    }),
    defineTool({
      name: 'list_sprite_files',
      description: 'The entries of a directory of a sprite.',
      isReadOnly: true,
      input: z.strictObject({ name, path: insidePath.optional() }),
      async run({ name: sprite, path }, { signal }) {
        const known = await scope.sprite(sprite, { signal });
        const dir = pathIn(known, path ?? '');
        const entries = await scope.client.listFiles(sprite, dir, { signal });
        const shown = entries.slice(0, MAX_ENTRIES).map(({ name: entry, type, size_bytes, mode }) => ({
          name: entry,
          type,
          size_bytes,
          mode,
        }));
        return { path: dir, entries: shown, ...omittedCount(entries.length - shown.length) };
      },
    }),
  ];
}

function projectTools({ scope, project }: SpriteToolOptions): AgentTool[] {
  if (project === undefined || project.pull === 'none') return [];
  return [
    defineTool({
      name: 'pull_from_sprite',
      description:
        "Bring what was changed in a sprite's copy of the project back to the user's project: one path, or everything. The sprite must have been started with push_project.",
      input: z.strictObject({
        name,
        path: z.string().optional().describe('file or directory below the project; everything when absent'),
      }),
      async run({ name: sprite, path }, { signal }) {
        return await pullPaths(project, scope.client, await scope.sprite(sprite, { signal }), path, signal);
      },
    }),
  ];
}

function stateTools({ scope }: SpriteToolOptions): AgentTool[] {
  return [
    defineTool({
      name: 'checkpoint_sprite',
      description: "Keep a sprite's files as they are now, to come back to.",
      input: z.strictObject({ name, comment: z.string().optional() }),
      async run({ name: sprite, comment }, { signal }) {
        await scope.sprite(sprite, { signal });
        const { id, createdAt } = await scope.client.createCheckpoint(sprite, { comment, signal });
        return { name: sprite, checkpoint: id, created_at: createdAt };
      },
    }),
    defineTool({
      name: 'restore_sprite',
      description: 'Bring a checkpoint of a sprite back. Everything that runs in it is ended.',
      input: z.strictObject({ name, checkpoint: z.string() }),
      async run({ name: sprite, checkpoint }, { signal }) {
        await scope.sprite(sprite, { signal });
        const restored = await scope.client.restoreCheckpoint(sprite, checkpoint, { signal });
        return { name: sprite, checkpoint: restored.checkpoint.id, before: restored.backup?.id ?? null };
      },
    }),
    defineTool({
      name: 'fork_sprite',
      description: 'Start a copy of a sprite, with all its files, that goes its own way.',
      input: z.strictObject({
        name,
        new_name: z.string().optional().describe('made up when absent'),
        checkpoint: z
          .string()
          .regex(/^[\w-]+$/)
          .optional()
          .describe('copy this state instead of the present one'),
      }),
      async run({ name: sprite, new_name, checkpoint }, { signal }) {
        const { network } = await scope.sprite(sprite, { signal });
        const from = checkpoint === undefined ? sprite : `${sprite}@${checkpoint}`;
        return connectionInfo(await scope.spawn(new_name, { from, network }, { signal }));
      },
    }),
  ];
}

async function sessionOf(
  scope: SpriteScope,
  sprite: string,
  sessionId: string | undefined,
  signal: AbortSignal,
): Promise<Session | null> {
  if (sessionId !== undefined) return (await scope.client.attach(sprite, sessionId, { signal })).session;
  const sessions = await scope.client.sessions(sprite, { signal });
  return sessions.toSorted((a, b) => b.created_at.localeCompare(a.created_at))[0] ?? null;
}

async function readLog(
  scope: SpriteScope,
  sprite: string,
  sessionId: string,
  options: LogsOptions,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of scope.client.logs(sprite, sessionId, options)) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.byteLength;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks);
}

/** The project's directory, which every new sprite has. */
function workdirOf({ workdir }: Sprite): string {
  return workdir === '' ? DEFAULT_PROJECT_DIR : workdir;
}

function pathIn(sprite: Sprite, path: string): string {
  return path.startsWith('/') ? path : `${workdirOf(sprite)}/${path}`;
}

function duration(seconds: number): string {
  return `${Math.max(1, Math.round(seconds * 1000))}ms`;
}

function secondsLeft(scope: SpriteScope): number {
  return (scope.budget.leftMs ?? Number.POSITIVE_INFINITY) / 1000;
}

function omittedCount(count: number): Record<string, unknown> {
  return count > 0 ? { omitted_entries: count } : {};
}

function noProject(): WreckitError {
  return new WreckitError('UNSUPPORTED', 'spawn_sprite: there is no project to push here', {
    hint: 'start it without push_project, and write the files it needs with write_sprite_file',
  });
}
