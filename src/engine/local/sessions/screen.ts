/**
 * What a terminal session's screen shows now, as bytes for another terminal: its log is played to a terminal
 * without a window (xterm), whose cells are then written down; modes are followed separately (terminal-state.ts).
 */
import type { SerializeAddon } from '@xterm/addon-serialize';
import type { Terminal } from '@xterm/headless';
import type { TerminalSize, Waiting } from '../../engine.ts';
import { LogCursor } from './log-cursor.ts';
import { readSizes, type SizeFrom } from './terminal-sizes.ts';
import { TerminalState } from './terminal-state.ts';

/** The last bytes of a log that are played (a third of a second's work); what scrolled by earlier is left out. */
const PLAYED_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 128 * 1024;
/** Lines above the screen that are repeated, too. */
const SCROLLBACK_LINES = 1000;
const CLEAR = '\x1b[H\x1b[2J';
const ENTER_ALTERNATE = '\x1b[?1049h';

export interface Screen {
  readonly bytes: Uint8Array;
  /** Output goes on from here; never within a character or a sequence. */
  readonly nextOffset: number;
}

export async function renderScreen(
  path: string,
  firstSize: TerminalSize,
  { signal }: Waiting = {},
): Promise<Screen> {
  using log = new LogCursor(path, 'stdout', 0);
  const end = log.end();
  const player = await Player.load(readSizes(path), firstSize);
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let chunk = log.read(buffer, end); chunk !== null; chunk = log.read(buffer, end)) {
      signal?.throwIfAborted();
      await player.play(chunk.offset, chunk.bytes, chunk.offset >= end - PLAYED_BYTES);
    }
    return { bytes: new TextEncoder().encode(player.draw()), nextOffset: player.offset };
  } finally {
    player.dispose();
  }
}

class Player {
  readonly #terminal: Terminal;
  readonly #serializer: SerializeAddon;
  readonly #sizes: SizeFrom[];
  readonly #state = new TerminalState();
  /** Of a sequence or character that has not ended. */
  #held: Uint8Array = new Uint8Array(0);
  #isPlaying = false;
  #offset = 0;

  private constructor(terminal: Terminal, serializer: SerializeAddon, sizes: readonly SizeFrom[]) {
    this.#terminal = terminal;
    this.#serializer = serializer;
    this.#sizes = [...sizes];
    terminal.loadAddon(serializer);
  }

  static async load(sizes: readonly SizeFrom[], { cols, rows }: TerminalSize): Promise<Player> {
    const [headless, serialize] = await Promise.all([
      import('@xterm/headless'),
      import('@xterm/addon-serialize'),
    ]);
    // CommonJS: Node gives the exports as the default, bundles give them by name.
    const { Terminal } = headless.default ?? headless;
    const { SerializeAddon } = serialize.default ?? serialize;
    const terminal = new Terminal({
      cols,
      rows,
      scrollback: SCROLLBACK_LINES,
      allowProposedApi: true,
      logLevel: 'off',
    });
    return new Player(terminal, new SerializeAddon(), sizes);
  }

  /** After the last byte that was played. */
  get offset(): number {
    return this.#offset - this.#held.length;
  }

  /** Bytes from `offset` on; only followed, not played, while they are too long ago. */
  async play(offset: number, bytes: Uint8Array, isRecent: boolean): Promise<void> {
    if (this.#sizes[0] === undefined || this.#sizes[0].offset >= offset + bytes.length) {
      await this.#playPart(offset, bytes, isRecent);
      return;
    }
    const size = this.#sizes.shift();
    const cut = Math.max(0, (size?.offset ?? 0) - offset);
    if (cut > 0) await this.#playPart(offset, bytes.subarray(0, cut), isRecent);
    if (size !== undefined) this.#resize(size);
    if (cut < bytes.length) await this.play(offset + cut, bytes.subarray(cut), isRecent);
  }

  draw(): string {
    // Sizes that nothing was written after.
    for (const size of this.#sizes) this.#resize(size);
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    const { region } = this.#state;
    // Setting a region moves the cursor home; rows count from 1.
    const regionAndCursor = region === '' ? '' : `\x1b[${region}r\x1b[${cursorY + 1};${cursorX + 1}H`;
    const cells = this.#serializer.serialize({ scrollback: SCROLLBACK_LINES });
    // The serializer takes the alternate screen to begin without colours, and leaves those of the cursor on.
    const drawn = cells.replace(ENTER_ALTERNATE, `\x1b[0m${ENTER_ALTERNATE}`);
    return `${CLEAR}${drawn}${regionAndCursor}${this.#state.restore()}`;
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  async #playPart(offset: number, bytes: Uint8Array, isRecent: boolean): Promise<void> {
    this.#offset = offset + bytes.length;
    const wasAlternate = this.#state.isAlternate;
    if (isRecent && !this.#isPlaying) {
      this.#isPlaying = true;
      await this.#write(`${wasAlternate ? ENTER_ALTERNATE : ''}${this.#state.restore()}`);
    }
    this.#state.push(bytes);
    if (!this.#isPlaying) return;
    const whole = Buffer.concat([this.#held, bytes]);
    const closed = whole.length - Math.min(whole.length, this.#state.openBytes);
    await this.#write(whole.subarray(0, closed));
    this.#held = whole.subarray(closed);
  }

  #write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(data, resolve));
  }

  #resize({ cols, rows }: SizeFrom): void {
    this.#terminal.resize(cols, rows);
    this.#state.resized();
  }
}
