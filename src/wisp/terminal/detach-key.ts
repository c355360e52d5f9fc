/**
 * The key that leaves a session running. It is looked for in what the user types without holding anything
 * back: a lone Esc goes out at once. Terminals in an extended keyboard mode (which the program inside may
 * have asked for) send the same key as an escape sequence, so that is looked for as well. What is pasted is
 * text, not keys.
 */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

export interface DetachKey {
  /** For messages: `Ctrl+\`. */
  readonly label: string;
  readonly sequences: readonly Buffer[];
}

export const DEFAULT_DETACH_KEY = 'ctrl-\\';

/** `ctrl-\`, `ctrl-a`, `C-]`, `^_`; `none` for no key at all (null). Throws `USAGE`. */
export function parseDetachKey(text: string): DetachKey | null {
  if (text.toLowerCase() === 'none') return null;
  const match = /^(?:ctrl[-+]|c-|\^)([a-z\\\]^_@[])$/i.exec(text);
  const letter = match?.[1]?.toLowerCase();
  // Ctrl+[ is Esc, Ctrl+M and Ctrl+J are Enter, Ctrl+I is Tab: keys a session can't do without.
  if (letter === undefined || '[mji'.includes(letter)) {
    throw new WreckitError(
      'USAGE',
      `detach key: ${quote(text)} is not a key such as "ctrl-\\", "ctrl-a" or "none"`,
    );
  }
  const code = letter.charCodeAt(0);
  const control = letter.toUpperCase().charCodeAt(0) & 0x1f;
  return {
    label: `Ctrl+${letter.toUpperCase()}`,
    sequences: [
      Buffer.from([control]),
      Buffer.from(`\x1b[${code};5u`), // kitty's protocol
      Buffer.from(`\x1b[${code};5:1u`),
      Buffer.from(`\x1b[27;5;${code}~`), // xterm's modifyOtherKeys
    ],
  };
}

const PASTE_BEGIN = Buffer.from('\x1b[200~');
const PASTE_END = Buffer.from('\x1b[201~');

export class DetachScanner {
  readonly #key: DetachKey | null;
  #isPasting = false;
  /** The last bytes that went through, so that a marker cut between two reads is still seen. */
  #tail = Buffer.alloc(0);

  constructor(key: DetachKey | null) {
    this.#key = key;
  }

  /** What to send of `typed`, and whether the key was in it (what follows it is dropped). */
  scan(typed: Uint8Array): { readonly send: Uint8Array; readonly isDetached: boolean } {
    const seen = Buffer.concat([this.#tail, typed]);
    const start = this.#tail.length;
    let at = 0;
    while (at < seen.length) {
      const next = this.#nextEvent(seen, at);
      if (next === null) break;
      if (next.kind === 'key') {
        // A key that began in the last read: its first bytes are out already.
        return { send: typed.subarray(0, Math.max(0, next.at - start)), isDetached: true };
      }
      this.#isPasting = next.kind === 'paste-begin';
      at = next.at + PASTE_BEGIN.length;
    }
    const keptFrom = Math.max(at, seen.length - (PASTE_BEGIN.length - 1));
    this.#tail = Buffer.from(seen.subarray(keptFrom));
    return { send: typed, isDetached: false };
  }

  #nextEvent(
    seen: Buffer,
    from: number,
  ): { kind: 'key' | 'paste-begin'; at: number } | { kind: 'paste-end'; at: number } | null {
    if (this.#isPasting) {
      const end = seen.indexOf(PASTE_END, from);
      return end === -1 ? null : { kind: 'paste-end', at: end };
    }
    const begin = seen.indexOf(PASTE_BEGIN, from);
    const keys = (this.#key?.sequences ?? []).map((sequence) => seen.indexOf(sequence, from));
    const key = Math.min(...keys.filter((at) => at !== -1));
    if (Number.isFinite(key) && (begin === -1 || key < begin)) return { kind: 'key', at: key };
    return begin === -1 ? null : { kind: 'paste-begin', at: begin };
  }
}
