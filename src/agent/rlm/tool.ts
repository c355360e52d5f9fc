/**
 * A tool: one zod schema, from which the JSON Schema for models and MCP clients is made and by which every
 * call is checked. Calling one never throws; what went wrong is its answer: `{error: {code, message, hint}}`.
 */

import { z } from 'zod';
import type { ErrorCode } from '../../contract/error-codes.ts';
import { quote } from '../../contract/names.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import { orAborted } from '../../process/abort.ts';
import { capDeep } from './cap-text.ts';

export type ToolAnswer = Readonly<Record<string, unknown>>;

export interface ToolError {
  readonly code: ErrorCode | 'ABORTED';
  readonly message: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface ToolContext {
  readonly signal?: AbortSignal | undefined;
}

/** Fits `AxFunction`: `func` is `call` with Ax's second argument. */
export interface AgentTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonSchema;
  /** It changes nothing, inside or outside. */
  readonly isReadOnly: boolean;
  call(args: unknown, context?: ToolContext): Promise<ToolAnswer>;
  func(args?: unknown, extra?: { readonly abortSignal?: AbortSignal }): Promise<ToolAnswer>;
}

export interface JsonSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Record<string, unknown>>>;
  readonly required?: readonly string[];
  readonly [key: string]: unknown;
}

export interface ToolSpec<S extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly isReadOnly?: boolean;
  readonly input: S;
  /** Throws what went wrong; ends soon after `signal` fires. */
  run(args: z.output<S>, context: { readonly signal: AbortSignal }): Promise<ToolAnswer>;
}

/** Of any one text in an answer. Tools with long output have their own, smaller caps. */
const MAX_TEXT_CHARS = 200_000;

export function defineTool<S extends z.ZodObject>(spec: ToolSpec<S>): AgentTool {
  const call = async (args: unknown, { signal }: ToolContext = {}): Promise<ToolAnswer> => {
    const parsed = spec.input.safeParse(args ?? {});
    if (!parsed.success) return invalid(spec.name, parsed.error);
    return await answerOf(() => spec.run(parsed.data, { signal: signal ?? never() }), spec.name, signal);
  };
  return madeTool({
    name: spec.name,
    description: spec.description,
    parameters: parametersOf(spec.input),
    isReadOnly: spec.isReadOnly === true,
    call,
  });
}

export function madeTool(tool: Omit<AgentTool, 'func'>): AgentTool {
  return { ...tool, func: (args, extra) => tool.call(args, { signal: extra?.abortSignal }) };
}

/** Runs `act`; its answer, or what went wrong as one. An abort is answered at once, whatever `act` still does. */
export async function answerOf(
  act: () => Promise<ToolAnswer>,
  tool: string,
  signal: AbortSignal | undefined,
): Promise<ToolAnswer> {
  if (signal?.aborted) return aborted(tool);
  try {
    return capDeep(await orAborted(act(), signal), MAX_TEXT_CHARS) as ToolAnswer;
  } catch (thrown) {
    return signal?.aborted ? aborted(tool) : errorAnswer(thrown);
  }
}

export function errorAnswer(thrown: unknown): ToolAnswer {
  const { code, message, hint, details } = toWreckitError(thrown);
  const hasDetails = Object.keys(details).length > 0;
  return { error: { code, message, hint, ...(hasDetails ? { details } : {}) } satisfies ToolError };
}

export function toolErrorOf(answer: ToolAnswer): ToolError | undefined {
  const { error } = answer;
  return typeof error === 'object' && error !== null && 'code' in error ? (error as ToolError) : undefined;
}

function aborted(tool: string): ToolAnswer {
  const message = `${tool}: it was stopped before it was done`;
  return {
    error: {
      code: 'ABORTED',
      message,
      hint: 'look at the present state before going on',
    } satisfies ToolError,
  };
}

function invalid(tool: string, { issues }: z.ZodError): ToolAnswer {
  const told = issues.map(({ path, message }) => {
    const where = path.length === 0 ? 'arguments' : path.join('.');
    return `${where}: ${message}`;
  });
  return errorAnswer(
    new WreckitError('USAGE', `${tool}: ${told.join('; ')}`, {
      hint: `call ${tool} again with arguments that fit its schema`,
    }),
  );
}

function parametersOf(input: z.ZodObject): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' });
  if (schema.type !== 'object')
    throw new WreckitError('INTERNAL', `tool: ${quote(schema.type)} is no object`);
  return { ...schema, type: 'object', properties: (schema.properties ?? {}) as JsonSchema['properties'] };
}

function never(): AbortSignal {
  return new AbortController().signal;
}
