/** The tools as functions for the model's code: `await sprites.exec_in_sprite({…})`. */
import { WreckitError } from '../../errors.ts';
import type { AgentEvent } from '../agent-events.ts';
import type { ToolRegistry } from '../rlm-tools.ts';
import type { AxAgentFunctionGroup } from '../vendor/ax.ts';
import type { Budget } from './budget.ts';
import { capText } from './cap-text.ts';
import { type AgentTool, errorAnswer, type ToolAnswer, toolErrorOf } from './tool.ts';

export interface CodeFunctionOptions {
  readonly registry: ToolRegistry;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  readonly onEvent: (event: AgentEvent) => Promise<void>;
}

const GROUPS = [
  ['work', 'Work tools', 'Files and shell of the place you work in.'],
  ['sprites', 'Sandboxes', 'Start, use and remove further sandboxes ("sprites").'],
  ['agents', 'Agents', 'Give a task to another agent.'],
  ['mcp', 'Servers', "Tools of the user's own servers."],
] as const;
type Namespace = (typeof GROUPS)[number][0];

const WORK_TOOLS = ['Read', 'Write', 'Edit', 'Glob', 'Grep', 'Bash'];
/** Of an answer, in an event: code gets it whole. */
const MAX_EVENT_CHARS = 100_000;

export function codeFunctions(options: CodeFunctionOptions): AxAgentFunctionGroup[] {
  const tools = [...options.registry.values()];
  let calls = 0;
  const nextId = (): string => {
    calls += 1;
    return `call-${calls}`;
  };
  return GROUPS.flatMap(([namespace, title, description]) => {
    const own = tools.filter(({ name }) => namespaceOf(name) === namespace);
    if (own.length === 0) return [];
    const functions = own.map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: tool.parameters as never,
      func: (args: unknown) => call(tool, `${namespace}.${tool.name}`, args, nextId(), options),
    }));
    return [{ namespace, title, description, functions }];
  });
}

function namespaceOf(tool: string): Namespace {
  if (WORK_TOOLS.includes(tool)) return 'work';
  if (tool === 'run_agent_in_sprite') return 'agents';
  return tool.startsWith('mcp__') ? 'mcp' : 'sprites';
}

async function call(
  tool: AgentTool,
  toolName: string,
  input: unknown,
  toolUseId: string,
  { budget, signal, onEvent }: CodeFunctionOptions,
): Promise<ToolAnswer> {
  await onEvent({ type: 'tool_started', toolUseId, toolName, input });
  const answer = outOfBudget(budget, toolName) ?? (await tool.call(input, { signal }));
  const error = toolErrorOf(answer);
  if (error !== undefined) await onEvent({ type: 'tool_error', toolUseId, toolName, message: error.message });
  else {
    const content = capText(JSON.stringify(answer), MAX_EVENT_CHARS).text;
    await onEvent({ type: 'tool_result', toolUseId, toolName, content });
  }
  return answer;
}

/** Code may go on for long between two turns of the model. */
function outOfBudget(budget: Budget, toolName: string): ToolAnswer | null {
  try {
    budget.assertLeft(`call ${toolName}`);
    return null;
  } catch (error) {
    if (!(error instanceof WreckitError)) throw error;
    return errorAnswer(error);
  }
}
