/** Tools of MCP servers the user named, for agents whose model loop runs here: `mcp__SERVER__TOOL`. */
import { WreckitError } from '../../errors.ts';
import { machineEnv } from '../agent-env.ts';
import type { McpServerConfig } from '../agent-options.ts';
import { type AgentTool, answerOf, type JsonSchema, madeTool, type ToolAnswer } from '../rlm/tool.ts';

type Mcp = typeof import('../vendor/mcp.ts');
type Client = InstanceType<Mcp['Client']>;

export interface McpClientOptions {
  readonly servers: Readonly<Record<string, McpServerConfig>>;
  readonly version: string;
  readonly cwd: string;
  readonly sourceEnv: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface McpClientTools extends AsyncDisposable {
  readonly tools: readonly AgentTool[];
}

/** What the providers of models take as the name of a tool. */
const MAX_NAME = 64;
const CALL_TIMEOUT_MS = 3_600_000;

/** Throws `CONFIG_INVALID` naming the server that could not be reached: an agent without its tools is another one. */
export async function mcpClientTools(options: McpClientOptions): Promise<McpClientTools> {
  const mcp = await import('../vendor/mcp.ts');
  const clients: Client[] = [];
  const close = async (): Promise<void> =>
    void (await Promise.allSettled(clients.map((client) => client.close())));
  try {
    const tools: AgentTool[] = [];
    for (const [name, server] of Object.entries(options.servers)) {
      const client = new mcp.Client({ name: 'wreckit', version: options.version });
      clients.push(client);
      tools.push(...(await toolsOfServer(mcp, client, name, server, options)));
    }
    return { tools, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function toolsOfServer(
  mcp: Mcp,
  client: Client,
  name: string,
  server: McpServerConfig,
  options: McpClientOptions,
): Promise<AgentTool[]> {
  try {
    await client.connect(transportOf(mcp, server, options), { signal: options.signal });
    const tools = await listTools(client, options.signal);
    return tools.map(({ name: tool, description = '', inputSchema, annotations }) =>
      madeTool({
        name: toolName(name, tool),
        description,
        parameters: { ...inputSchema, properties: inputSchema.properties ?? {} } as JsonSchema,
        isReadOnly: annotations?.readOnlyHint === true,
        call: async (args, { signal } = {}) =>
          await answerOf(async () => await callTool(client, tool, args, signal), tool, signal),
      }),
    );
  } catch (error) {
    throw new WreckitError(
      'CONFIG_INVALID',
      `MCP server "${name}": ${error instanceof Error ? error.message : error}`,
      {
        hint: 'check that its command starts, or take it out of the MCP servers',
        cause: error,
      },
    );
  }
}

/** All pages of them. A server that gives the same page for ever is none to rely on. */
async function listTools(client: Client, signal: AbortSignal) {
  const tools: Awaited<ReturnType<Client['listTools']>>['tools'] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? undefined : { cursor }, { signal });
    tools.push(...page.tools);
    cursor = page.nextCursor;
    if (cursor !== undefined && seen.has(cursor)) throw new Error('its list of tools does not end');
    if (cursor !== undefined) seen.add(cursor);
  } while (cursor !== undefined);
  return tools;
}

function transportOf(mcp: Mcp, server: McpServerConfig, { cwd, sourceEnv }: McpClientOptions) {
  if ('command' in server) {
    const { command, args = [], env = {} } = server;
    const whole = { ...machineEnv(sourceEnv), ...env };
    return new mcp.StdioClientTransport({ command, args: [...args], env: whole, cwd, stderr: 'ignore' });
  }
  const url = new URL(server.url);
  const requestInit = { headers: { ...server.headers } };
  const transport =
    server.type === 'sse'
      ? new mcp.SSEClientTransport(url, { requestInit })
      : new mcp.StreamableHTTPClientTransport(url, { requestInit });
  // The SDK's own types are not made for exactOptionalPropertyTypes.
  return transport as Parameters<Client['connect']>[0];
}

async function callTool(
  client: Client,
  name: string,
  args: unknown,
  signal: AbortSignal | undefined,
): Promise<ToolAnswer> {
  const request = { name, arguments: args as Record<string, unknown> };
  const result = await client.callTool(request, undefined, {
    timeout: CALL_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  const content = Array.isArray(result.content) ? result.content : [];
  const text = content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
  if (result.isError === true)
    throw new WreckitError('INTERNAL', text || `${name} failed`, { hint: 'see the message' });
  return result.structuredContent === undefined
    ? { content: text }
    : { ...(result.structuredContent as object) };
}

function toolName(server: string, tool: string): string {
  return `mcp__${server}__${tool}`.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_NAME);
}
