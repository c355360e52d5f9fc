/**
 * File names are bytes. Inside src/sync a path is a string with one character per byte (latin1): it can be a
 * key, be compared and be matched, and nothing of a name that is not UTF-8 gets lost.
 */
import { isUtf8 } from 'node:buffer';

/** Relative to the project, `/` between components, one character per byte. */
export type BytePath = string;

const ASCII = /^[\x00-\x7f]*$/;

export function toBytePath(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Of text as people and configuration files write it. */
export function bytePathOfText(text: string): BytePath {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

export function bytesOfPath(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** What `node:fs` takes for `path` below `root`: text where the name is UTF-8, bytes where it is not. */
export function hostPath(root: string, path: BytePath): string | Buffer {
  if (ASCII.test(path)) return `${root}/${path}`;
  const bytes = bytesOfPath(path);
  if (isUtf8(bytes)) return `${root}/${bytes.toString('utf8')}`;
  return Buffer.concat([Buffer.from(`${root}/`), bytes]);
}

/** For messages and JSON: UTF-8 text, with `\xff` for bytes that are none and escapes for control characters. */
export function showPath(path: BytePath): string {
  const bytes = bytesOfPath(path);
  const text = isUtf8(bytes)
    ? bytes.toString('utf8')
    : path.replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, escapeControl);
}

function escapeControl(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/** The directory part without its slash; empty for a path at the top. */
export function parentOf(path: BytePath): BytePath {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

export function nameOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Every directory above `path`, outermost first: `a`, `a/b` for `a/b/c`. */
export function* parentsOf(path: BytePath): Generator<BytePath> {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    yield path.slice(0, slash);
  }
}

/** By bytes, as git sorts. */
export function comparePaths(a: BytePath, b: BytePath): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
