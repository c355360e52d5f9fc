/** Environment for a command in a sprite, handed over in a file: argv can be read by everybody in `ps`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

export interface EnvFile extends Disposable {
  readonly path: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * One `NAME=VALUE` per line (values with line ends or outer blanks in double quotes), mode 0600, in the runtime directory (memory, on most systems) where there is
 * one; gone at the end of the scope. Throws `USAGE` for what such a line can't say.
 */
export function writeEnvFile(
  env: Readonly<Record<string, string>>,
  { XDG_RUNTIME_DIR }: Readonly<Record<string, string | undefined>>,
): EnvFile {
  const lines = Object.entries(env).map(([name, value]) => envLine(name, value));
  const parent = XDG_RUNTIME_DIR !== undefined && isAbsolute(XDG_RUNTIME_DIR) ? XDG_RUNTIME_DIR : tmpdir();
  const dir = mkdtempSync(join(parent, 'wreckit-env-'));
  const path = join(dir, 'env');
  writeFileSync(path, lines.join(''), { mode: 0o600 });
  return { path, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

function envLine(name: string, value: string): string {
  if (!NAME.test(name))
    throw new WreckitError('USAGE', `environment: ${quote(name)} is not a variable's name`);
  if (value.includes('\0'))
    throw new WreckitError('USAGE', `environment: the value of ${name} has a NUL in it`);
  const isPlain = value.trim() === value && !/^['"]|[\n\r]/.test(value);
  return `${name}=${isPlain ? value : quoted(value)}\n`;
}

/** As a shell's double quotes, with `\\n` and `\\r` for line ends. */
function quoted(value: string): string {
  const escaped = value
    .replace(/["\\$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `"${escaped}"`;
}
