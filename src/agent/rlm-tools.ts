/**
 * The tools of agents whose model loop runs on this machine, and of MCP clients: the same names, schemas and
 * limits for all of them.
 */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type SpriteToolOptions, spriteTools } from './rlm/sprite-tools.ts';
import type { AgentTool } from './rlm/tool.ts';
import type { WorkPlace } from './rlm/work-place.ts';
import { workTools } from './rlm/work-tools.ts';

export { Budget, type BudgetLimits } from './rlm/budget.ts';
export { SpriteScope, type SpriteScopeOptions } from './rlm/sprite-scope.ts';
export { type SpriteToolOptions, spriteTools } from './rlm/sprite-tools.ts';
export type { AgentTool, JsonSchema, ToolAnswer, ToolContext } from './rlm/tool.ts';
export { hostPlace, spritePlace, type WorkPlace } from './rlm/work-place.ts';
export { workTools } from './rlm/work-tools.ts';

/** By name, in the order they are offered. Each tool is an `AxFunction`, too. */
export type ToolRegistry = ReadonlyMap<string, AgentTool>;

export interface ToolRegistryOptions {
  /** Absent: no tools for sprites. */
  readonly sprites?: SpriteToolOptions | undefined;
  /** Where Read, Write, Edit, Glob, Grep and Bash work; absent: they are not there. */
  readonly place?: WorkPlace | undefined;
  /** Tools of other servers, and those that start agents. */
  readonly more?: readonly AgentTool[] | undefined;
  /** Only tools that change nothing. */
  readonly isReadOnly?: boolean | undefined;
}

/**
 * The tools there are, or only those of `allowedTools`, by their exact names. Throws `USAGE` for a name that is
 * none of them: an allow-list with a slip of the pen must not be one that is obeyed in silence.
 */
export function buildToolRegistry(
  allowedTools: readonly string[] | undefined,
  { sprites, place, more = [], isReadOnly = false }: ToolRegistryOptions,
): ToolRegistry {
  const all = [
    ...(place === undefined ? [] : workTools(place)),
    ...(sprites === undefined ? [] : spriteTools(sprites)),
    ...more,
  ];
  const names = new Set(all.map(({ name }) => name));
  const twice = all.find(({ name }, index) => all.findIndex((other) => other.name === name) < index);
  if (twice !== undefined)
    throw new WreckitError('USAGE', `tools: two of them have the name ${quote(twice.name)}`);
  for (const name of allowedTools ?? []) if (!names.has(name)) throw unknownTool(name, [...names]);
  const offered = all.filter(
    (tool) => (allowedTools?.includes(tool.name) ?? true) && (!isReadOnly || tool.isReadOnly),
  );
  return new Map(offered.map((tool) => [tool.name, tool]));
}

function unknownTool(name: string, names: readonly string[]): WreckitError {
  const near = nearest(name, names);
  return new WreckitError('USAGE', `tools: ${quote(name)} is not one of them`, {
    hint: `${near === null ? '' : `did you mean ${quote(near)}? `}there are: ${names.join(', ')}`,
    details: { tool: name },
  });
}
