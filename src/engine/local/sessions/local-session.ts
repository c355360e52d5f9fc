import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Session } from '../../../contract/schemas.ts';
import { errnoOf, WreckitError } from '../../../errors.ts';
import { identify } from '../../../process/identity.ts';
import type {
  OutputChunk,
  OutputRequest,
  OutputStream,
  SessionExit,
  SessionHandle,
  TerminalSize,
  Waiting,
} from '../../engine.ts';
import type { RunningSprite } from '../inside.ts';
import { Changes } from './changes.ts';
import { killNow } from './kill-session.ts';
import { Lease } from './lease.ts';
import { logExtent } from './log-files.ts';
import { followOutput, presentOutput } from './read-output.ts';
import { setTerminalSize } from './resize.ts';
import type { Screen } from './screen.ts';
import { type SessionMeta, streamsOf } from './session-dir.ts';
import { exitSignal, readFacts, type SessionFacts, sessionView } from './session-facts.ts';
import { StdinWriter } from './stdin-writer.ts';
import { TIMEOUT_GRACE_MS } from './supervise.ts';
import { assertSize, recordSize } from './terminal-sizes.ts';

/** What the supervisor has to end a session in, beyond its time and the grace. */
const LATE_MS = 1_000;
/** What the line discipline of a terminal takes for the end of input (Ctrl+D). */
const END_OF_TEXT = Uint8Array.of(4);

export interface LocalSessionParts {
  /** The session's directory. */
  readonly path: string;
  readonly meta: SessionMeta;
  /** null: it is not up, so neither is the session. */
  readonly sprite: RunningSprite | null;
  /** What the opener holds until it reads. */
  readonly lease?: Lease;
  readonly changes?: Changes;
  readonly supervisor?: ChildProcess;
  readonly stdin?: StdinWriter | null;
}

/** Loaded when it is needed: a terminal emulator is large. */
async function showScreen(path: string, size: TerminalSize, waiting?: Waiting): Promise<Screen> {
  const { renderScreen } = await import('./screen.ts');
  return renderScreen(path, size, waiting);
}

export class LocalSession implements SessionHandle {
  readonly id: string;
  readonly tty: boolean;
  /** Only where there is a terminal. */
  readonly screen?: (waiting?: Waiting) => Promise<Screen>;
  readonly #path: string;
  readonly #meta: SessionMeta;
  readonly #sprite: RunningSprite | null;
  readonly #watching = new Set<Changes>();
  #lease: Lease | undefined;
  /** Kept from the start for the first who waits. */
  #firstChanges: Changes | undefined;
  #stdin: StdinWriter | null;
  #isStdinClosed = false;
  #resized: Promise<void> = Promise.resolve();
  #wantedSize: TerminalSize | null = null;

  constructor({ path, meta, sprite, lease, changes, supervisor, stdin = null }: LocalSessionParts) {
    this.id = meta.id;
    this.tty = meta.tty !== null;
    const size = meta.tty;
    if (size !== null) this.screen = (waiting) => showScreen(path, size, waiting);
    this.#path = path;
    this.#meta = meta;
    this.#sprite = sprite;
    this.#lease = lease;
    this.#firstChanges = changes;
    this.#stdin = stdin;
    supervisor?.once('exit', () => {
      for (const changes of this.#watching) changes.poke();
    });
  }

  async info(): Promise<Session> {
    return sessionView(this.#facts());
  }

  async *output(request: OutputRequest = {}): AsyncGenerator<OutputChunk> {
    const all = streamsOf(this.#meta);
    const streams =
      request.streams === undefined ? all : all.filter((each) => request.streams?.includes(each));
    const lease = this.#newLease(streams);
    // Until now it held everything for this reader.
    this.#releaseLease();
    const source = { path: this.#path, streams, request, lease };
    const changes = request.follow ? this.#watch() : null;
    try {
      if (changes === null) yield* presentOutput(source);
      else yield* followOutput(source, { changes, onWait: () => this.#enforceTimeout(changes) });
    } finally {
      lease?.[Symbol.dispose]();
      if (changes !== null) this.#unwatch(changes);
    }
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (!this.#meta.has_stdin || this.#isStdinClosed) return false;
    this.#stdin ??= StdinWriter.open(join(this.#path, 'stdin'));
    return this.#stdin !== null && (await this.#stdin.write(bytes));
  }

  async closeStdin(): Promise<void> {
    if (this.tty) await this.write(END_OF_TEXT);
    else await this.#stdin?.close();
    this.#isStdinClosed ||= !this.tty;
  }

  async resize(size: TerminalSize): Promise<void> {
    assertSize(size);
    this.#wantedSize = size;
    // One after the other; a size that is outdated when its turn comes is left out.
    const previous = this.#resized.catch(() => undefined);
    this.#resized = previous.then(() => (this.#wantedSize === size ? this.#resizeNow(size) : undefined));
    await this.#resized;
  }

  async exit(waiting: Waiting = {}): Promise<SessionExit> {
    const known = this.#exitNow();
    if (known !== null) return known;
    const changes = this.#watch();
    try {
      for (;;) {
        const exit = this.#exitNow();
        if (exit !== null) return exit;
        await this.#enforceTimeout(changes);
        await changes.next(waiting);
      }
    } finally {
      this.#unwatch(changes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#releaseLease();
    this.#firstChanges?.[Symbol.dispose]();
    this.#firstChanges = undefined;
    this.#stdin?.abandon();
    this.#stdin = null;
  }

  #facts(): SessionFacts {
    const facts = readFacts(this.#path);
    if (facts !== null) return facts;
    throw new WreckitError('SESSION_LOST', `session ${this.id}: its record is gone`);
  }

  /** null while it runs. Throws `SESSION_LOST`. */
  #exitNow(): SessionExit | null {
    const { phase, state } = this.#facts();
    const exit = state?.exit ?? null;
    if (phase === 'running') return null;
    if (phase === 'lost' || exit === null) throw this.#lostError();
    return { exitCode: exit.code, signal: exitSignal(exit), timedOut: exit.timed_out };
  }

  /** null: there is nothing to hold back any more, or no room to say so (what was dropped then shows). */
  #newLease(streams: readonly OutputStream[]): Lease | null {
    const reader = identify(process.pid);
    if (reader === null || this.#facts().state?.is_drained === true) return null;
    try {
      return new Lease({ path: this.#path, streams, logCapBytes: this.#meta.log_cap_bytes, reader });
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return null;
    }
  }

  #releaseLease(): void {
    this.#lease?.[Symbol.dispose]();
    this.#lease = undefined;
  }

  #watch(): Changes {
    const changes = this.#firstChanges ?? new Changes(this.#path);
    this.#firstChanges = undefined;
    this.#watching.add(changes);
    return changes;
  }

  #unwatch(changes: Changes): void {
    this.#watching.delete(changes);
    changes[Symbol.dispose]();
  }

  /** The supervisor's business; should it fail to, the session still ends in time for whoever waits. */
  async #enforceTimeout(changes: Changes): Promise<void> {
    const { timeout_ms: timeoutMs, created_at: createdAt } = this.#meta;
    if (timeoutMs === null) return;
    const lateAt = Date.parse(createdAt) + timeoutMs + TIMEOUT_GRACE_MS + LATE_MS;
    const facts = this.#facts();
    if (Date.now() < lateAt || facts.phase !== 'running') return;
    await killNow(facts, changes, {}, 'timeout KILL');
  }

  async #resizeNow(size: TerminalSize): Promise<void> {
    const facts = this.#facts();
    if (!this.tty) throw new WreckitError('NOT_A_TTY', `session ${this.id}: it has no terminal to resize`);
    if (facts.phase !== 'running' || this.#sprite === null) return;
    const offset = logExtent(this.#path, 'stdout').end;
    if (await setTerminalSize(this.#sprite, facts, size)) recordSize(this.#path, { offset, ...size });
  }

  #lostError(): WreckitError {
    return new WreckitError('SESSION_LOST', `session ${this.id}: it ended without leaving an exit status`, {
      details: { session: this.id },
    });
  }
}
