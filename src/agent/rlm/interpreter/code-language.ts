/** The languages a sprite's interpreter may speak, and which of them a sprite has. */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { AgentPlace } from '../../agent-options.ts';
import type { AxCodeRuntime } from '../../vendor/ax.ts';
import { NODE_EVALUATOR, NODE_SUPERVISOR } from './node-programs.ts';
import { PYTHON_EVALUATOR, PYTHON_SUPERVISOR } from './python-programs.ts';

/** The sprite whose interpreter it is, and the directory it begins in. */
export type InterpreterPlace = Pick<AgentPlace, 'client' | 'sprite' | 'dir'>;

export interface CodeLanguage extends Pick<AxCodeRuntime, 'getPrimitiveOverrides' | 'formatCallable'> {
  readonly language: string;
  /** Its program, as looked up in the sprite. */
  readonly program: string;
  /** The supervisor's command. */
  readonly argv: readonly string[];
  readonly evaluator: string;
  /** How to write code, for the model. */
  readonly usage: readonly string[];
  /** Such code would hide what is given under that name, for all turns to come. */
  declares(code: string, name: string): boolean;
}

/** That it names console.log makes Ax ask for one in every turn that does not end a stage. */
export const JAVASCRIPT: CodeLanguage = {
  language: 'JavaScript',
  program: 'node',
  argv: ['node', '-e', NODE_SUPERVISOR],
  evaluator: NODE_EVALUATOR,
  usage: [
    'The code runs in Node.js inside a sandbox of its own. require(...) loads Node modules; there is no import statement and no top-level return.',
    'All top-level declarations persist across calls. Top-level await works: do not wrap code in an async function.',
    'console.log(...) output is what you see of a call. It is shortened when it is long: search, filter and count in code, and print only what you need.',
    'Calls of the functions given to you are awaited: const done = await sprites.list_sprites({}).',
  ],
  declares: (code, name) =>
    new RegExp(`^(?:const|let|var|class|(?:async )?function\\*?)\\s+${escaped(name)}(?![\\w$])`, 'm').test(
      code,
    ),
};

export const PYTHON: CodeLanguage = {
  language: 'Python',
  program: 'python3',
  argv: ['python3', '-u', '-c', PYTHON_SUPERVISOR],
  evaluator: PYTHON_EVALUATOR,
  usage: [
    'The code runs in Python 3 inside a sandbox of its own, with the standard library.',
    'All names persist across calls.',
    'print(...) output is what you see of a call. It is shortened when it is long: search, filter and count in code, and print only what you need. Print in every turn that does not end a stage.',
    'The functions given to you wait for their answer (there is no await) and take one dict, or named arguments: done = work.Bash(command="ls"). What they return, and inputs, are dicts whose keys are attributes as well.',
    'A stage ends with final("what to do next", {"key": value}), respond("how to answer", {"key": value}) where that is offered, or askClarification("question").',
  ],
  getPrimitiveOverrides: () => ({
    llmQuery: [
      'Ask focused questions about the narrowed context you pass in.',
      '`llmQuery([{"query": str, "context": any}, ...]) -> list[str]`',
    ],
    final: ['End the stage; hand gathered evidence on.', '`final(task: str, evidence: dict = {})`'],
    respond: [
      'End the run and answer from the context: no function is called any more. The evidence is what the answer is made of.',
      '`respond(task: str, evidence: dict = {})`',
    ],
    askClarification: ['Ask the user, when blocked.', '`askClarification(question: str)`'],
    inspectRuntime: ['A compact list of the variables there are.', '`inspectRuntime() -> str`'],
  }),
  formatCallable: ({ qualifiedName, description = '', parameters }) =>
    `### \`${qualifiedName}(**arguments) -> dict\`\n${description}\nArguments: ${JSON.stringify(parameters?.properties ?? {})}${required(parameters?.required)}`,
  declares: (code, name) =>
    new RegExp(
      `^(?:(?:async )?(?:def|class)\\s+${escaped(name)}\\b|${escaped(name)}\\s*(?::[^=\\n]+)?=(?!=))`,
      'm',
    ).test(code),
};

/** In this order: JavaScript is what Ax's own instructions know best. */
const LANGUAGES = [JAVASCRIPT, PYTHON] as const;

/** Throws `UNSUPPORTED` where the sprite has no program for any of them. */
export async function languageIn(
  { client, sprite }: InterpreterPlace,
  signal: AbortSignal,
): Promise<CodeLanguage> {
  const programs = LANGUAGES.map(({ program }) => program);
  const look = 'for program; do command -v "$program" && exit 0; done; exit 0';
  const { stdout } = await client.exec(sprite, ['sh', '-c', look, 'sh', ...programs], { dir: '/', signal });
  const found = stdout.trim().split('/').at(-1);
  const language = LANGUAGES.find(({ program }) => program === found);
  if (language !== undefined) return language;
  throw new WreckitError(
    'UNSUPPORTED',
    `agent rlm: its code needs Node.js or Python 3, and sprite ${quote(sprite)} has neither "node" nor "python3"`,
    {
      hint: 'use an image that has one of them (agent.image), install it with agent.setup, or set "mode": "chat"',
      details: { sprite, programs },
    },
  );
}

function required(names: readonly string[] = []): string {
  return names.length === 0 ? '' : `; required: ${names.join(', ')}`;
}

function escaped(name: string): string {
  return name.replace(/[$]/g, '\\$&');
}
