/** `AxCodeRuntime` whose code runs in a sprite, never in this process: the model's code is a stranger's. */
import type { AxCodeRuntime, AxCodeSession } from '../../vendor/ax.ts';
import { type CodeSessionOptions, SpriteCodeSession } from './sprite-code-session.ts';

export class SpriteCodeRuntime implements AxCodeRuntime, AsyncDisposable {
  readonly language: string;
  /** Absent: as Ax words functions for JavaScript. */
  readonly formatCallable?: NonNullable<AxCodeRuntime['formatCallable']>;
  readonly #options: CodeSessionOptions;
  readonly #sessions: SpriteCodeSession[] = [];

  constructor(options: CodeSessionOptions) {
    this.#options = options;
    const { language, formatCallable } = options.language;
    this.language = language;
    if (formatCallable !== undefined) this.formatCallable = formatCallable;
  }

  createSession(
    globals: Record<string, unknown> = {},
    { shouldBubbleError = () => false }: { shouldBubbleError?: (error: unknown) => boolean } = {},
  ): AxCodeSession {
    const session = new SpriteCodeSession(this.#options, globals, shouldBubbleError);
    this.#sessions.push(session);
    return session;
  }

  getUsageInstructions(): string {
    return this.#options.language.usage.map((line) => `- ${line}`).join('\n');
  }

  getPrimitiveOverrides() {
    return this.#options.language.getPrimitiveOverrides?.();
  }

  /** Resolves when nothing of its sessions is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
  }
}
