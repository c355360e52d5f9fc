/** File name patterns: `*` and `?` within a name, `**` across directories, `[…]`, `{a,b}`. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

/** Throws `USAGE` for a pattern that can't be one. */
export function globToRegExp(pattern: string): RegExp {
  try {
    return new RegExp(`^${sourceOf(pattern.replace(/^\.\//, ''))}$`, 's');
  } catch (error) {
    throw new WreckitError('USAGE', `Glob: ${quote(pattern)} is not a pattern such as "src/**/*.ts"`, {
      cause: error,
    });
  }
}

function sourceOf(pattern: string): string {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at);
    const character = rest.charAt(0);
    const set = /^\[(!|\^)?([^\]\\/]+)\]/.exec(rest);
    if (rest.startsWith('**/')) {
      source += '(?:[^/]+/)*';
      at += 2;
    } else if (rest.startsWith('**')) {
      source += '.*';
      at += 1;
    } else if (set !== null) {
      source += `[${set[1] === undefined ? '' : '^'}${set[2]}]`;
      at += set[0].length - 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '{') {
      source += '(?:';
      depth += 1;
    } else if (character === '}' && depth > 0) {
      source += ')';
      depth -= 1;
    } else if (character === ',' && depth > 0) source += '|';
    else source += character.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  }
  return source;
}
