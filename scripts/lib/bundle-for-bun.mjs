/**
 * Runs on Bun (its bundler has plugins only from inside): one CommonJS file with bytecode per program.
 *
 *   bun scripts/lib/bundle-for-bun.mjs ROOT OUT NAME=ENTRY…
 *
 * Bun can't split CommonJS, and the size of a file is paid at every start, so packages that few verbs need are
 * files of their own beside it, loaded when they are reached.
 */
import { join } from 'node:path';

/** Not `ws`: Bun has its own. */
const LAZY_PACKAGES = ['pino', 'pino-pretty', '@xterm/headless', '@xterm/addon-serialize'];
/** Those of which the programs name what they use in a module; see there. */
const LAZY_MODULES = { 'vendor-ax': 'src/agent/vendor/ax.ts', 'vendor-mcp': 'src/agent/vendor/mcp.ts' };

const [root, out, ...programs] = process.argv.slice(2);

function fileOf(packageName) {
  return packageName.replace('@', '').replace('/', '-');
}

const asFilesOfTheirOwn = {
  name: 'lazy-packages',
  setup(build) {
    const pattern = LAZY_PACKAGES.map((name) => name.replace('/', '\\/')).join('|');
    build.onResolve({ filter: new RegExp(`^(${pattern})$`) }, ({ path }) => ({
      path: `./${fileOf(path)}.js`,
      external: true,
    }));
    build.onResolve({ filter: /\/vendor\/[a-z]+\.ts$/ }, ({ path }) => ({
      path: `./vendor-${path.replace(/^.*\/|\.ts$/g, '')}.js`,
      external: true,
    }));
  },
};

async function bundle(name, entry, plugins) {
  const result = await Bun.build({
    entrypoints: [entry],
    outdir: out,
    naming: `${name}.[ext]`,
    target: 'bun',
    format: 'cjs',
    bytecode: true,
    // Error names come from class names.
    minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true },
    // Bun would write this machine's path of each source in place of these.
    define: { 'import.meta.dirname': '__bundleDir', __dirname: '__bundleDir', __filename: '__bundleFile' },
    banner: 'var __bundleDir=__dirname,__bundleFile=__filename;',
    plugins,
    throw: false,
  });
  for (const log of result.logs) process.stderr.write(`${log}\n`);
  if (!result.success) process.exitCode = 1;
}

for (const program of programs) {
  const [name, entry] = program.split('=');
  await bundle(name, join(root, entry), [asFilesOfTheirOwn]);
}
for (const name of LAZY_PACKAGES) await bundle(fileOf(name), Bun.resolveSync(name, root), []);
for (const [name, entry] of Object.entries(LAZY_MODULES)) await bundle(name, join(root, entry), []);
