/** `AxCodeRuntime` whose code runs in a sprite, never in this process: the model's code is a stranger's. */
import type { AxCodeRuntime, AxCodeSession } from '../../vendor/ax.ts';
import { type InterpreterPlace, InterpreterProcess } from './interpreter-process.ts';
import { type CodeSessionOptions, SpriteCodeSession } from './sprite-code-session.ts';

export interface CodeRuntimeOptions extends Omit<CodeSessionOptions, 'interpreter'> {
  readonly place: InterpreterPlace;
}

/** For the model. That it names console.log makes Ax ask for one in every turn that does not end a stage. */
const USAGE = [
  'The code runs in Node.js inside a sandbox of its own. require(...) loads Node modules; there is no import statement and no top-level return.',
  'All top-level declarations persist across calls. Top-level await works: do not wrap code in an async function.',
  'console.log(...) output is what you see of a call. It is shortened when it is long: search, filter and count in code, and print only what you need.',
  'Calls of the functions given to you are awaited: const done = await sprites.list_sprites({}).',
]
  .map((line) => `- ${line}`)
  .join('\n');

export class SpriteCodeRuntime implements AxCodeRuntime, AsyncDisposable {
  readonly language = 'JavaScript';
  readonly #options: CodeRuntimeOptions;
  readonly #sessions: SpriteCodeSession[] = [];

  constructor(options: CodeRuntimeOptions) {
    this.#options = options;
  }

  createSession(
    globals: Record<string, unknown> = {},
    { shouldBubbleError = () => false }: { shouldBubbleError?: (error: unknown) => boolean } = {},
  ): AxCodeSession {
    const options = { ...this.#options, interpreter: () => new InterpreterProcess(this.#options.place) };
    const session = new SpriteCodeSession(options, globals, shouldBubbleError);
    this.#sessions.push(session);
    return session;
  }

  getUsageInstructions(): string {
    return USAGE;
  }

  /** Resolves when nothing of its sessions is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
  }
}
