/**
 * Bundles both programs into `dist/`, which the launchers in `bin/` start:
 *
 *   dist/bun/NAME.js    takes NAME-quick.js or NAME-whole.js, CommonJS with bytecode beside it (no parsing at start);
 *                       bulky packages in files of their own
 *   dist/node/NAME.mjs  checks the Node version, then imports NAME-main.mjs; lazy imports stay chunks
 *   dist/node/NAME.mjs  also library.mjs and contract.mjs, which other programs import (docs/library.md)
 *   dist/types     their declarations; made only before packing
 *   dist/build-id       hash of everything the bundles are made from; the same hash means: nothing to do
 *   dist/bun-runs       exists when this package's Bun was seen running on this machine (not packed)
 *
 *   node scripts/build.mjs [--force] [--require-all]
 *
 * `npm ci` runs it as `prepare`. Where Bun or esbuild is missing it builds what it can; `--require-all`
 * (used before packing) fails instead.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findBun } from './lib/bun.mjs';
import { requireNode } from './lib/require-node.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const PROGRAMS = { wreckit: 'src/index.ts', wisp: 'src/wisp/index.ts' };
/** What other programs import: "exports" of package.json. The same files on Node and on Bun. */
const MODULES = { library: 'src/library/index.ts', contract: 'src/contract/index.ts' };

const isForced = process.argv.includes('--force');
const needsAll = process.argv.includes('--require-all');

function sourceFiles(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === '__tests__') return [];
    const path = join(dir, entry.name);
    return entry.isDirectory() ? sourceFiles(path) : [path];
  });
}

function buildId() {
  const inputs = [
    'package.json',
    'package-lock.json',
    'scripts/build.mjs',
    'scripts/lib/bundle-for-bun.mjs',
    'scripts/lib/require-node.mjs',
    'tsconfig.json',
    'tsconfig.library.json',
  ];
  const hash = createHash('sha256');
  for (const path of [...inputs.map((name) => join(root, name)), ...sourceFiles(join(root, 'src')).sort()]) {
    if (!existsSync(path)) continue;
    hash.update(`${relative(root, path)}\0${statSync(path).size}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

function outputsExist(dir) {
  const names = Object.keys(PROGRAMS);
  return {
    bun: names.every((name) => existsSync(join(dir, 'bun', `${name}.js`))),
    node: [...names, ...Object.keys(MODULES)].every((name) => existsSync(join(dir, 'node', `${name}.mjs`))),
    types: Object.values(MODULES).every((entry) => existsSync(join(dir, 'types', declarationOf(entry)))),
  };
}

function buildForBun(bun, out) {
  const bundler = join(root, 'scripts', 'lib', 'bundle-for-bun.mjs');
  const programs = Object.entries(PROGRAMS).map(([name, entry]) => `${name}=${entry}`);
  const result = spawnSync(bun, [bundler, root, join(out, 'bun'), ...programs], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`bundles for Bun:\n${result.stderr}${result.stdout}`);
  writeFileSync(join(out, 'bun-runs'), '');
}

function nodeEntry(name, minimum) {
  return `${requireNode.toString()}\nrequireNode('${name}', '${minimum}');\nawait import('./${name}-main.mjs');\n`;
}

async function buildForNode(out) {
  const esbuild = await import('esbuild').catch(() => null);
  if (!esbuild) return;
  const minimum = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [
      ...Object.entries(PROGRAMS).map(([name, entry]) => ({ in: entry, out: `${name}-main` })),
      ...Object.entries(MODULES).map(([name, entry]) => ({ in: entry, out: name })),
    ],
    outdir: join(out, 'node'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    // A UMD main cannot be bundled; packages that have one have a module beside it.
    mainFields: ['module', 'main'],
    format: 'esm',
    target: `node${minimum}`,
    legalComments: 'none',
    logLevel: 'error',
    // CommonJS dependencies call require for Node's own modules, and ask where they lie.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;",
    },
  });
  for (const name of Object.keys(PROGRAMS)) {
    writeFileSync(join(out, 'node', `${name}.mjs`), nodeEntry(name, minimum));
  }
}

/** `library/index.d.ts` of `src/library/index.ts`. */
function declarationOf(entry) {
  return relative('src', entry).replace(/\.ts$/, '.d.ts');
}

/** Of the modules and of what their declarations name, and nothing more. */
function buildTypes(out) {
  const types = join(out, 'types');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--noCheck'];
  const argv = [compiler, '-p', join(root, 'tsconfig.library.json'), ...options, '--outDir', types];
  const result = spawnSync(process.execPath, argv, { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`declarations:\n${result.stdout}${result.stderr}`);
  const needed = new Set();
  const visit = (path) => {
    if (needed.has(path)) return;
    needed.add(path);
    for (const [, target] of readFileSync(path, 'utf8').matchAll(
      /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g,
    ))
      visit(join(dirname(path), target.replace(/\.ts$/, '.d.ts')));
  };
  for (const entry of Object.values(MODULES)) visit(join(types, declarationOf(entry)));
  for (const path of readdirSync(types, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(types, name),
  ))
    if (statSync(path).isFile() && !needed.has(path)) rmSync(path);
}

/** A path of this machine in a bundle would break it on every other one. */
function assertPortable(out) {
  for (const folder of ['bun', 'node']) {
    const dir = join(out, folder);
    for (const name of existsSync(dir) ? readdirSync(dir) : []) {
      if (name.endsWith('.jsc')) continue;
      const text = readFileSync(join(dir, name), 'utf8');
      if (text.includes(`${root}/`) || text.includes(pathToFileURL(root).href)) {
        throw new Error(`${folder}/${name} contains the path ${root}: use packageRoot() instead`);
      }
    }
  }
}

/** The old `dist/` stays whole until the new one is; a program started meanwhile sees one or the other. */
function publish(out) {
  const old = `${out}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(out, dist);
  rmSync(old, { recursive: true, force: true });
}

function removeLeftovers() {
  const dayMs = 24 * 3600 * 1000;
  for (const name of readdirSync(root).filter((entry) => entry.startsWith('.dist-'))) {
    const path = join(root, name);
    if (Date.now() - statSync(path).mtimeMs > dayMs) rmSync(path, { recursive: true, force: true });
  }
}

async function main() {
  if (!existsSync(join(root, 'src'))) return; // an installed package: built when it was packed
  const startedAt = Date.now();
  const bun = findBun(root);
  const id = buildId();
  const present = outputsExist(dist);
  const builtId = existsSync(join(dist, 'build-id'))
    ? readFileSync(join(dist, 'build-id'), 'utf8').trim()
    : '';
  const hasEsbuild = existsSync(join(root, 'node_modules', 'esbuild'));
  const isComplete = (present.bun || !bun) && (present.node || !hasEsbuild) && (present.types || !needsAll);
  if (!isForced && builtId === id && isComplete && (present.bun || present.node)) {
    if (!bun) rmSync(join(dist, 'bun-runs'), { force: true });
    // Tests take a dist/ older than a source as out of date.
    utimesSync(join(dist, 'build-id'), new Date(), new Date());
    return;
  }
  removeLeftovers();
  const out = mkdtempSync(join(root, '.dist-'));
  try {
    if (bun) buildForBun(bun, out);
    await buildForNode(out);
    if (needsAll) buildTypes(out);
    const made = outputsExist(out);
    const missing = [...(made.bun ? [] : ['Bun']), ...(made.node ? [] : ['Node (esbuild)'])];
    if (missing.length > 0 && needsAll)
      throw new Error(`no bundle for ${missing.join(' and ')}: run npm ci first`);
    assertPortable(out);
    writeFileSync(join(out, 'build-id'), `${id}\n`);
    chmodSync(out, 0o755); // mkdtemp makes it 0700
    publish(out);
    const without = missing.length > 0 ? `, without a bundle for ${missing.join(' and ')}` : '';
    process.stderr.write(`build: dist/ made in ${Date.now() - startedAt} ms${without}\n`);
  } catch (error) {
    rmSync(out, { recursive: true, force: true });
    throw error;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
