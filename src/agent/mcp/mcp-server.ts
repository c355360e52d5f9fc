/**
 * The tools of a registry as a server of the Model Context Protocol, on one pair of streams.
 *
 *   tools/call ─▶ registry ─▶ answer as text and as structured content; an error is `isError`, not a fault
 *     progress token: a notification a second while it runs · notifications/cancelled: the call's signal fires
 *   resources: the output of sessions, as `sprite://NAME/sessions/ID/stdout` and `…/stderr`
 */
import type { Readable, Writable } from 'node:stream';
import { toWreckitError } from '../../errors.ts';
import type { SpriteScope } from '../rlm/sprite-scope.ts';
import { type AgentTool, type ToolAnswer, toolErrorOf } from '../rlm/tool.ts';
import type { ToolRegistry } from '../rlm-tools.ts';
import { listSessionLogs, readSessionLog } from './session-logs.ts';

export interface McpServerOptions {
  readonly registry: ToolRegistry;
  /** Whose session logs are resources. */
  readonly scope: SpriteScope;
  readonly version: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly signal: AbortSignal;
  /** What went wrong on the wire. */
  readonly onError: (message: string) => void;
}

const PROGRESS_EVERY_MS = 1000;
const MAX_FAULT_CHARS = 300;
const INSTRUCTIONS =
  'Sprites are private Linux sandboxes on this machine. Start one with spawn_sprite (push_project puts the project into it), run commands with exec_in_sprite, bring changes back with pull_from_sprite, and kill it with kill_sprite when it is no longer needed.';

interface CallExtra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  sendNotification(notification: {
    method: 'notifications/progress';
    params: { progressToken: string | number; progress: number; message: string };
  }): Promise<void>;
}

/** Until the client closes its end or `signal` fires; calls that still run then are stopped and waited for. */
export async function serveMcp(options: McpServerOptions): Promise<void> {
  const { registry, scope, version, stdin, stdout, onError } = options;
  const mcp = await import('../vendor/mcp.ts');
  const server = new mcp.Server(
    { name: 'wreckit', version },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
  );
  const leaving = new AbortController();
  const running = new Set<Promise<unknown>>();
  server.onerror = (error) => onError(`mcp: ${error.message.replace(/\s+/g, ' ').slice(0, MAX_FAULT_CHARS)}`);
  server.setRequestHandler(mcp.ListToolsRequestSchema, async () => ({
    tools: [...registry.values()].map(toolDocument),
  }));
  server.setRequestHandler(mcp.CallToolRequestSchema, async ({ params }, extra) => {
    const tool = registry.get(params.name);
    if (tool === undefined)
      throw new mcp.McpError(mcp.ErrorCode.InvalidParams, `there is no tool ${JSON.stringify(params.name)}`);
    const call = callTool(tool, params.arguments ?? {}, extra, leaving.signal);
    running.add(call);
    return await call.finally(() => running.delete(call));
  });
  server.setRequestHandler(mcp.ListResourcesRequestSchema, async (_request, { signal }) => ({
    resources: await listSessionLogs(scope, signal),
  }));
  server.setRequestHandler(mcp.ReadResourceRequestSchema, async ({ params }, { signal }) => {
    try {
      return { contents: [await readSessionLog(scope, params.uri, signal)] };
    } catch (error) {
      throw new mcp.McpError(mcp.ErrorCode.InvalidParams, toWreckitError(error).message);
    }
  });
  await server.connect(new mcp.StdioServerTransport(stdin, stdout));
  await ended(stdin, options.signal);
  leaving.abort();
  await Promise.allSettled(running);
  await scope.settled();
  await server.close();
}

function toolDocument({ name, description, parameters, isReadOnly }: AgentTool) {
  return {
    name,
    description,
    inputSchema: parameters as { type: 'object'; properties: Record<string, object> },
    annotations: {
      readOnlyHint: isReadOnly,
      destructiveHint: name === 'kill_sprite' || name === 'restore_sprite',
      openWorldHint: false,
    },
  };
}

async function callTool(tool: AgentTool, args: unknown, extra: CallExtra, leaving: AbortSignal) {
  using _progress = progressOf(tool.name, extra);
  return toolResult(await tool.call(args, { signal: AbortSignal.any([extra.signal, leaving]) }));
}

function toolResult(answer: ToolAnswer) {
  const isError = toolErrorOf(answer) !== undefined;
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(answer, null, 2) }],
    structuredContent: { ...answer },
    ...(isError ? { isError } : {}),
  };
}

/** Seconds so far, for clients that would otherwise give a long command up. */
function progressOf(tool: string, { _meta, sendNotification }: CallExtra): Disposable {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return { [Symbol.dispose]: () => undefined };
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += PROGRESS_EVERY_MS / 1000;
    const params = { progressToken, progress: seconds, message: `${tool}: ${seconds} s` };
    // A client that is gone is noticed where its stream ends.
    sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
  }, PROGRESS_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function ended(stdin: Readable, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted || stdin.readableEnded || stdin.destroyed) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    for (const event of ['end', 'close', 'error']) stdin.once(event, () => resolve());
  });
}
