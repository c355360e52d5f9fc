/**
 * How the `wisp` of this package is started. Its launcher `bin/wisp` finds a runtime each time; here the
 * runtime is known already, it is the one that runs this program, so the shell in between is saved.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';

/**
 * A project's `bunfig.toml` can preload code and its `.env` is read into the environment; neither may
 * happen on the host because somebody stands in that directory.
 */
const BUN_FLAGS = [
  '--no-env-file',
  '--no-install',
  `--config=${process.platform === 'win32' ? 'NUL' : '/dev/null'}`,
];

/** As in bin/wisp: what is compiled by a program that soon ends was compiled for nothing. */
const BUN_ENV = { BUN_JSC_thresholdForJITSoon: '20000', BUN_JSC_thresholdForJITAfterWarmUp: '20000' };

/** The words that start it, and the file among them that is the program. */
export interface BundledWisp {
  readonly argv: readonly string[];
  readonly path: string;
  /** What it is to find in its environment, beside the rest. */
  readonly env: Readonly<Record<string, string>>;
}

/** null: the package lacks it. */
export function bundledWisp(): BundledWisp | null {
  const isBun = process.versions.bun !== undefined;
  // A bundle lies beside this one, in `dist/bun` or `dist/node`; the library's is in `dist/node` for both.
  const names = isBun ? ['wisp.js', '../bun/wisp.js', 'wisp.mjs'] : ['wisp.mjs'];
  const sibling = names.map((name) => join(import.meta.dirname, name)).find((path) => existsSync(path));
  return sibling === undefined ? fromCheckout(isBun) : startedBy(isBun, sibling);
}

function fromCheckout(isBun: boolean): BundledWisp | null {
  const root = packageRoot();
  const source = join(root, 'src', 'wisp', 'index.ts');
  if (!existsSync(source)) return null;
  if (isBun) return startedBy(true, source);
  return { argv: [process.execPath, join(root, 'scripts', 'run-source.mjs'), 'wisp'], path: source, env: {} };
}

function startedBy(isBun: boolean, path: string): BundledWisp {
  return { argv: [process.execPath, ...(isBun ? BUN_FLAGS : []), path], path, env: isBun ? BUN_ENV : {} };
}
