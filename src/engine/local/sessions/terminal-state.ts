/**
 * Follows a terminal's output just far enough to know what a screen's cells don't show: modes, scroll region,
 * cursor shape, title, keyboard protocols; and where a sequence or a character ends, so that output can be cut.
 * (ECMA-48; "XTerm Control Sequences", invisible-island.net/xterm/ctlseqs; the kitty keyboard protocol.)
 */
import { decodeUtf8 } from '../../../process/text.ts';

/** Modes of `CSI ? n h` that are worth restoring. Not those that clear the screen or last for one frame. */
const PRIVATE_MODES = new Set([
  1, 5, 7, 9, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031, 2048,
]);
const MOUSE_TRACKING = new Set([9, 1000, 1002, 1003]);
const ALTERNATE_SCREEN = new Set([47, 1047, 1049]);
const INSERT_MODE = 4;
const MAX_CONTROL_BYTES = 256;
/** Terminals keep a short stack, too; the oldest goes first. */
const MAX_KEYBOARD_MODES = 32;
/** A text or image sequence longer than this is taken for binary output. */
const MAX_STRING_BYTES = 1024 * 1024;

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const SHIFT_OUT = 0x0e;
const SHIFT_IN = 0x0f;

type Phase = 'ground' | 'escape' | 'control' | 'string';

export class TerminalState {
  #phase: Phase = 'ground';
  /** Bytes of the sequence under way, its introducer included. */
  #sequence: number[] = [];
  #sequenceBytes = 0;
  #tail: number[] = [];
  #modes = new Map<string, string>();
  #isAlternate = false;
  #region = '';
  #title = '';
  #keyboard: string[] = [];

  /** True while the alternate screen shows. */
  get isAlternate(): boolean {
    return this.#isAlternate;
  }

  /** Parameters of the scroll region ("5;10"); empty: all of the screen. */
  get region(): string {
    return this.#region;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#phase === 'ground') at = nextControl(bytes, at);
      const byte = bytes[at];
      if (byte !== undefined) this.#step(byte);
    }
    this.#tail = [...this.#tail, ...bytes.subarray(-4)].slice(-4);
  }

  /** How many of the last bytes belong to something that has not ended. */
  get openBytes(): number {
    return this.#phase === 'ground' ? openCharacterBytes(this.#tail) : this.#sequenceBytes;
  }

  /** A new size takes the scroll region back to all of the screen. */
  resized(): void {
    this.#region = '';
  }

  /** What brings another terminal into these modes; neither moves the cursor nor changes a cell. */
  restore(): string {
    return [...this.#modes.values(), ...this.#keyboard, this.#title].join('');
  }

  #step(byte: number): void {
    if (this.#phase === 'ground') {
      if (byte === ESC) this.#begin('escape', byte);
      else if (byte === SHIFT_OUT || byte === SHIFT_IN) this.#set('shift', String.fromCharCode(byte));
      return;
    }
    this.#sequenceBytes += 1;
    if (byte === CAN || byte === SUB) this.#phase = 'ground';
    else if (byte === ESC) {
      // The end of a string (ESC \\), or of whatever it cuts short.
      if (this.#phase === 'string') this.#stringEnded();
      this.#begin('escape', byte);
    } else if (this.#phase === 'escape') this.#inEscape(byte);
    else if (this.#phase === 'control') this.#inControl(byte);
    else this.#inString(byte);
  }

  #begin(phase: Phase, byte: number): void {
    this.#phase = phase;
    this.#sequence = [byte];
    this.#sequenceBytes = 1;
  }

  #inEscape(byte: number): void {
    this.#sequence.push(byte);
    const character = String.fromCharCode(byte);
    if (character === '[') this.#phase = 'control';
    else if (']P_^X'.includes(character)) this.#phase = 'string';
    else if (byte >= 0x30 && byte < 0x7f) {
      this.#phase = 'ground';
      this.#escapeEnded(String.fromCharCode(...this.#sequence));
    } else if (byte >= 0x7f || this.#sequence.length > MAX_CONTROL_BYTES) this.#phase = 'ground';
  }

  #inControl(byte: number): void {
    if (byte < 0x20) return; // Control characters take effect within a sequence, which goes on.
    this.#sequence.push(byte);
    if (byte >= 0x40 && byte < 0x7f) {
      this.#phase = 'ground';
      const text = String.fromCharCode(...this.#sequence);
      this.#controlEnded(text, text.slice(2, -1), String.fromCharCode(byte));
    } else if (this.#sequence.length > MAX_CONTROL_BYTES) this.#phase = 'ground';
  }

  #inString(byte: number): void {
    if (byte === BEL) {
      this.#phase = 'ground';
      this.#stringEnded();
    } else if (this.#sequenceBytes > MAX_STRING_BYTES) {
      this.#phase = 'ground';
    } else {
      if (this.#sequence.length >= MAX_CONTROL_BYTES) this.#sequence.pop();
      this.#sequence.push(byte);
    }
  }

  #escapeEnded(text: string): void {
    if (text === '\x1bc') this.#reset();
    else if (text === '\x1b=' || text === '\x1b>') this.#set('keypad', text);
    else if (/^\x1b[()][0-9A-Za-z]$/.test(text)) this.#set(text.slice(0, 2), text);
  }

  #controlEnded(text: string, parameters: string, final: string): void {
    if (final === 'h' || final === 'l') this.#modeSet(parameters, final);
    else if (final === 'r' && /^[\d;]*$/.test(parameters)) this.#region = parameters;
    else if (final === 'q' && parameters.endsWith(' ')) this.#set('cursor', text);
    else if (final === 'm' && /^>\d(;|$)/.test(parameters)) this.#set(`keys ${parameters.charAt(1)}`, text);
    else if (final === 'u' && /^[<=>]/.test(parameters)) this.#keyboardSet(text, parameters);
    else if (final === 'p' && parameters === '!') this.#reset();
  }

  #modeSet(parameters: string, final: 'h' | 'l'): void {
    const isPrivate = parameters.startsWith('?');
    for (const mode of parameters.replace(/^\?/, '').split(';').map(Number)) {
      if (isPrivate && ALTERNATE_SCREEN.has(mode)) this.#isAlternate = final === 'h';
      if (isPrivate && PRIVATE_MODES.has(mode)) {
        const name = MOUSE_TRACKING.has(mode) ? 'mouse' : `?${mode}`;
        this.#set(name, `\x1b[?${mode}${final}`);
      }
      if (!isPrivate && mode === INSERT_MODE) this.#set('insert', `\x1b[4${final}`);
    }
  }

  #keyboardSet(text: string, parameters: string): void {
    if (parameters.startsWith('>')) this.#keyboard.push(text);
    else if (parameters.startsWith('<'))
      this.#keyboard.splice(-Math.max(1, Number(parameters.slice(1)) || 1));
    else this.#keyboard.push(text);
    if (this.#keyboard.length > MAX_KEYBOARD_MODES) this.#keyboard.shift();
  }

  #stringEnded(): void {
    const text = decodeUtf8(Uint8Array.from(this.#sequence));
    const title = /^\x1b\](?:0|2);([^\x00-\x1f]*)$/.exec(text)?.[1];
    if (title !== undefined) this.#title = `\x1b]2;${title}\x07`;
  }

  /** The last of a kind counts, and comes last. */
  #set(kind: string, text: string): void {
    this.#modes.delete(kind);
    this.#modes.set(kind, text);
  }

  #reset(): void {
    this.#modes.clear();
    this.#keyboard = [];
    this.#region = '';
    this.#isAlternate = false;
  }
}

/** The place of the next byte that is more than text. */
function nextControl(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === ESC || byte === SHIFT_OUT || byte === SHIFT_IN) break;
  }
  return at;
}

/** 1 to 3 when the bytes end within a UTF-8 character. */
function openCharacterBytes(bytes: readonly number[]): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
