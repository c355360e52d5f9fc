/** Patterns of `include` and `syncExcludePatterns`: as in .gitignore, without `!`. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import { type BytePath, bytePathOfText } from './byte-path.ts';

export interface PathPatterns {
  readonly isEmpty: boolean;
  /** The first pattern that matches the path or a directory above it, as it was written; null when none does. */
  match(path: BytePath): string | null;
}

/** One character of a name: a UTF-8 sequence, or a byte that is in none. */
const ONE = '(?:[\\x00-\\x2e\\x30-\\x7f]|[\\xc0-\\xff][\\x80-\\xbf]*|[\\x80-\\xbf])';

/**
 * `*.log` and `dist` match at any depth, `/dist` and `docs/*.md` from the top; `**` crosses directories. A
 * directory that matches covers everything below it. Throws `CONFIG_INVALID`.
 */
export function compilePatterns(patterns: readonly string[]): PathPatterns {
  const compiled = patterns.map((pattern) => ({ pattern, regExp: compile(pattern) }));
  return {
    isEmpty: compiled.length === 0,
    match: (path) => compiled.find(({ regExp }) => regExp.test(path))?.pattern ?? null,
  };
}

function compile(pattern: string): RegExp {
  try {
    return regExpOf(pattern);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw notAPattern(pattern);
  }
}

function notAPattern(pattern: string): WreckitError {
  return new WreckitError(
    'CONFIG_INVALID',
    `pattern: ${quote(pattern)} is not one such as "*.log" or "/build"`,
    {
      hint: 'patterns are those of .gitignore without "!", relative to the project',
    },
  );
}

function regExpOf(pattern: string): RegExp {
  const trimmed = bytePathOfText(pattern.trim()).replace(/^\.\//, '/');
  if (trimmed === '' || trimmed.startsWith('!') || trimmed.split('/').includes('..'))
    throw notAPattern(pattern);
  const isDirectoryOnly = trimmed.endsWith('/');
  const body = trimmed.replace(/\/+$/, '').replace(/^\/+/, '');
  const isAnchored = trimmed.startsWith('/') || body.includes('/');
  const tail = isDirectoryOnly ? '/[^]*' : '(?:/[^]*)?';
  return new RegExp(`^${isAnchored ? '' : '(?:[^]*/)?'}${translate(body)}${tail}$`);
}

function translate(glob: string): string {
  let out = '';
  for (let at = 0; at < glob.length; ) {
    const char = glob[at] ?? '';
    if (glob.startsWith('**/', at) && isAtStart(glob, at)) {
      out += '(?:[^]*/)?';
      at += 3;
    } else if (glob.startsWith('**', at) && isAtStart(glob, at) && at + 2 === glob.length) {
      out += '[^]+';
      at += 2;
    } else if (char === '*') {
      out += '[^/]*';
      at += 1;
    } else if (char === '?') {
      out += ONE;
      at += 1;
    } else if (char === '[') {
      const set = characterSet(glob, at);
      out += set?.source ?? '\\[';
      at = set?.end ?? at + 1;
    } else {
      const literal = char === '\\' && at + 1 < glob.length ? (glob[at + 1] ?? '') : char;
      out += literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      at += char === '\\' && at + 1 < glob.length ? 2 : 1;
    }
  }
  return out;
}

function isAtStart(glob: string, at: number): boolean {
  return at === 0 || glob[at - 1] === '/';
}

/** `[a-z]`, `[!0-9]`; null where it isn't closed and the bracket stands for itself. */
function characterSet(glob: string, start: number): { source: string; end: number } | null {
  const negated = glob[start + 1] === '!' || glob[start + 1] === '^';
  const first = start + (negated ? 2 : 1);
  const close = glob.indexOf(']', first + 1);
  if (close === -1) return null;
  const members = glob.slice(first, close).replace(/[\\\]^[]/g, '\\$&');
  return { source: `(?!/)[${negated ? '^' : ''}${members}]`, end: close + 1 };
}
