/** A run on the terminal: the agent's words on stdout, everything else on stderr; or events, one JSON line each. */
import type { AgentEvent } from '../../agent/agent-events.ts';
import { eventDocument } from '../../agent/agent-events.ts';
import type { SpriteRunStep } from '../../agent/sprite-run/sprite-run.ts';
import type { Io } from '../../cli/io.ts';
import { say } from '../../cli/output.ts';
import { createProgress, type Progress } from '../../cli/progress.ts';
import { TerminalFilter } from '../../cli/terminal-filter.ts';
import { printable } from '../../cli/text-width.ts';
import { isObject } from '../../contract/json-value.ts';
import { formatBytes } from '../../contract/units.ts';
import type { SyncProgress } from '../../sync/sync-progress.ts';

export type ConsoleMode = 'text' | 'events' | 'silent';

export interface RunConsoleOptions {
  readonly io: Io;
  readonly mode: ConsoleMode;
  readonly quiet: boolean;
  /** A program without events of its own: its output is shown as it comes. */
  readonly isRaw: boolean;
}

const STEP_TEXT: Readonly<Record<SpriteRunStep, string>> = {
  start: 'starting a sprite',
  push: 'putting the project in',
  setup: 'running the setup commands',
  agent: 'the agent works',
  collect: 'collecting its changes',
  land: 'landing them',
  kill: 'removing the sprite',
};
const MAX_TOOL_TEXT = 120;

export class RunConsole implements AsyncDisposable {
  readonly #options: RunConsoleOptions;
  readonly #progress: Progress;
  /** A terminal gets the agent's words only; a file or a pipe gets every byte. */
  readonly #stdoutFilter = new TerminalFilter();
  readonly #stderrFilter = new TerminalFilter();
  #sequence = 0;
  #isInLine = false;

  constructor(options: RunConsoleOptions) {
    this.#options = options;
    this.#progress = createProgress(options.io, { json: options.mode !== 'text', quiet: options.quiet });
  }

  async event(event: AgentEvent): Promise<void> {
    const { mode, isRaw } = this.#options;
    if (mode === 'events') await this.#line({ ...eventDocument(event) });
    if (mode !== 'text' || isRaw) return;
    if (event.type === 'assistant_text') return await this.#say(event.text, event.isPartial === true);
    const told = toolText(event);
    if (told !== null) await this.#tell(told);
  }

  async stdout(text: string): Promise<void> {
    if (this.#options.mode === 'text' && this.#options.isRaw) await this.#say(text, true);
  }

  async stderr(text: string): Promise<void> {
    if (this.#options.mode !== 'text' || this.#options.quiet) return;
    await this.#progress.clear();
    const { io } = this.#options;
    await say(io, io.stderr.isTty ? this.#stderrFilter.push(text) : text);
  }

  step(step: SpriteRunStep, facts: Readonly<Record<string, unknown>>): void {
    if (this.#options.mode === 'events') void this.#line({ type: 'step', step, ...facts });
    else void this.#tell(`${STEP_TEXT[step]}${typeof facts.sprite === 'string' ? ` (${facts.sprite})` : ''}`);
  }

  /** Until the agent has ended, which may take its grace. */
  interrupted(): void {
    void this.#tell('stopping the agent; the same signal again kills it');
  }

  sync({ filesDone, bytesDone }: SyncProgress): void {
    void this.#progress.update(`${filesDone} files, ${formatBytes(bytesDone)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#progress.clear();
    if (this.#isInLine) await this.#options.io.stdout.write('\n');
  }

  async #say(text: string, isPartial: boolean): Promise<void> {
    await this.#progress.clear();
    const { stdout } = this.#options.io;
    const end = isPartial || text.endsWith('\n') ? '' : '\n';
    const shown = (stdout.isTty ? this.#stdoutFilter.push(text) : text) + end;
    if (shown === '') return;
    await stdout.write(shown);
    this.#isInLine = !shown.endsWith('\n');
  }

  /** A line about the run. */
  async #tell(text: string): Promise<void> {
    const { io, mode, quiet } = this.#options;
    if (mode !== 'text' || quiet) return;
    await this.#progress.clear();
    const break_ = this.#isInLine && io.stdout.isTty ? '\n' : '';
    if (break_ !== '') this.#isInLine = false;
    await say(io, `${break_}· ${printable(text)}\n`);
  }

  async #line(event: Record<string, unknown>): Promise<void> {
    this.#sequence += 1;
    const line = { ...event, seq: this.#sequence, time: new Date().toISOString() };
    // Nobody waits for it; that stdout takes nothing is told with the result, once the work is safe.
    await this.#options.io.stdout.write(`${JSON.stringify(line)}\n`).catch(() => false);
  }
}

function toolText(event: AgentEvent): string | null {
  switch (event.type) {
    case 'tool_started':
      return `${event.toolName} ${shortened(inputText(event.input))}`;
    case 'tool_error':
      return `${event.toolName} failed: ${shortened(event.message)}`;
    case 'error':
      return `error: ${event.message.trim()}`;
    default:
      return null;
  }
}

/** Code reads better as it is than as JSON. */
function inputText(input: unknown): string {
  const isCode = isObject(input) && typeof input.code === 'string' && Object.keys(input).length === 1;
  return isCode ? String(input.code) : (JSON.stringify(input) ?? '');
}

/** In one line; events have the whole. */
function shortened(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  return line.length <= MAX_TOOL_TEXT ? line : `${line.slice(0, MAX_TOOL_TEXT)}…`;
}
