/**
 * Which modes of the user's terminal the program inside has changed, from the bytes it wrote, and the bytes
 * that undo them. Only what was changed is undone where undoing is visible (leaving an alternate screen that
 * was never entered moves the cursor).
 */

type Scan = 'ground' | 'escape' | 'csi' | 'charset' | 'string' | 'string-escape';

/** Reset when they were set. 47, 1047 and 1049 are the alternate screen, the rest of them input and mouse. */
const RESET_WHEN_SET = [
  9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 1, 5, 6, 47, 1047, 1049, 12, 66,
  69,
];
/** Set when they were reset: automatic wrapping, the cursor. */
const SET_WHEN_RESET = [7, 25];
const MAX_CSI_CHARS = 64;

export class TerminalModes {
  #state: Scan = 'ground';
  #sequence = '';
  readonly #isSet = new Map<number, boolean>();
  #keyboardPushes = 0;
  #hasKeyboardFlags = false;
  #hasOtherKeys = false;
  #hasScrollRegion = false;
  #hasCursorStyle = false;
  #hasInsertMode = false;
  #hasKeypad = false;
  #hasCharset = false;

  /** To be called with every byte the terminal gets, in order; sequences may be cut anywhere. */
  track(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'ground') {
        at = this.#skipText(bytes, at);
        continue;
      }
      this.#step(bytes[at] ?? 0);
      at += 1;
    }
  }

  /** Colours and attributes, always; the rest as far as it was changed. */
  restoreSequence(): string {
    const parts: string[] = [];
    if (this.#isSet.get(2026)) parts.push('\x1b[?2026l');
    if (this.#keyboardPushes > 0) parts.push(`\x1b[<${this.#keyboardPushes}u`);
    if (this.#hasKeyboardFlags) parts.push('\x1b[=0u');
    if (this.#hasOtherKeys) parts.push('\x1b[>4m');
    for (const mode of RESET_WHEN_SET)
      if (mode !== 2026 && this.#isSet.get(mode)) parts.push(`\x1b[?${mode}l`);
    for (const mode of SET_WHEN_RESET) if (this.#isSet.get(mode) === false) parts.push(`\x1b[?${mode}h`);
    // Setting the region moves the cursor: saved before, restored after.
    if (this.#hasScrollRegion) parts.push('\x1b7\x1b[r\x1b8');
    if (this.#hasInsertMode) parts.push('\x1b[4l');
    if (this.#hasKeypad) parts.push('\x1b>');
    if (this.#hasCharset) parts.push('\x1b(B\x0f');
    if (this.#hasCursorStyle) parts.push('\x1b[0 q');
    // Ends a sequence or string the session was in the middle of.
    return `${this.#state === 'ground' ? '' : '\x18'}${parts.join('')}\x1b[0m`;
  }

  #skipText(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x0e) this.#hasCharset = true;
      if (byte === 0x1b) {
        this.#state = 'escape';
        return at + 1;
      }
    }
    return at;
  }

  #step(byte: number): void {
    if (byte === 0x18 || byte === 0x1a) {
      this.#state = 'ground';
      return;
    }
    if (byte === 0x1b) {
      this.#state = this.#state === 'string' ? 'string-escape' : 'escape';
      return;
    }
    switch (this.#state) {
      case 'escape':
        this.#afterEscape(String.fromCharCode(byte));
        return;
      case 'csi':
        this.#inCsi(byte);
        return;
      case 'charset':
        if (byte !== 0x42) this.#hasCharset = true;
        this.#state = 'ground';
        return;
      case 'string':
        if (byte === 0x07) this.#state = 'ground';
        return;
      default:
        // `string-escape`: ESC \ ends the string; anything else is a sequence of its own.
        this.#state = 'ground';
        if (byte !== 0x5c) this.#afterEscape(String.fromCharCode(byte));
    }
  }

  #afterEscape(letter: string): void {
    this.#state = 'ground';
    if (letter === '[') {
      this.#sequence = '';
      this.#state = 'csi';
    } else if (letter === '(') this.#state = 'charset';
    else if (']P_^X'.includes(letter)) this.#state = 'string';
    else if (letter === '=') this.#hasKeypad = true;
    else if (letter === '>') this.#hasKeypad = false;
    else if (letter === 'c') this.#forget();
  }

  #inCsi(byte: number): void {
    if (byte < 0x20) return;
    this.#sequence += String.fromCharCode(byte);
    if (byte < 0x40 && this.#sequence.length <= MAX_CSI_CHARS) return;
    this.#state = 'ground';
    if (byte >= 0x40 && byte <= 0x7e) this.#apply(this.#sequence);
  }

  #apply(sequence: string): void {
    const privateMode = /^\?([\d;]+)([hl])$/.exec(sequence);
    if (privateMode !== null) {
      const isSet = privateMode[2] === 'h';
      for (const mode of (privateMode[1] ?? '').split(';')) this.#isSet.set(Number(mode), isSet);
    } else if (/^4h$/.test(sequence)) this.#hasInsertMode = true;
    else if (/^4l$/.test(sequence)) this.#hasInsertMode = false;
    else if (/^>[\d;]*u$/.test(sequence)) this.#keyboardPushes += 1;
    else if (/^<\d*u$/.test(sequence)) this.#popKeyboard(sequence);
    else if (/^=[\d;]*u$/.test(sequence)) this.#hasKeyboardFlags = true;
    else if (/^>4(;\d*)?m$/.test(sequence)) this.#hasOtherKeys = /;[1-9]/.test(sequence);
    else if (/^[\d;]*r$/.test(sequence)) this.#hasScrollRegion = /\d/.test(sequence);
    else if (/^\d* q$/.test(sequence)) this.#hasCursorStyle = !/^0? q$/.test(sequence);
    else if (sequence === '!p') this.#softReset();
  }

  #popKeyboard(sequence: string): void {
    const count = Number(/\d+/.exec(sequence)?.[0] ?? 1);
    this.#keyboardPushes = Math.max(0, this.#keyboardPushes - count);
  }

  #softReset(): void {
    this.#hasInsertMode = false;
    this.#hasKeypad = false;
    this.#hasScrollRegion = false;
    for (const mode of [1, 6]) this.#isSet.set(mode, false);
    this.#isSet.set(25, true);
  }

  /** ESC c resets everything. */
  #forget(): void {
    this.#isSet.clear();
    this.#keyboardPushes = 0;
    this.#hasKeyboardFlags = false;
    this.#hasOtherKeys = false;
    this.#hasCursorStyle = false;
    this.#hasCharset = false;
    this.#softReset();
    this.#isSet.clear();
  }
}
