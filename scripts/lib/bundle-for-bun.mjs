/**
 * Runs on Bun (its bundler has plugins only from inside): one CommonJS file with bytecode per program.
 *
 *   bun scripts/lib/bundle-for-bun.mjs ROOT OUT NAME=ENTRY…
 *
 * Bun can't split CommonJS, and the size of a file is paid at every start. So packages that few verbs need are files
 * of their own beside it, loaded when they are reached, and a program is bundled twice: NAME-quick.js has but the verbs
 * that are waited for most, NAME-whole.js has all; NAME.js takes one of the two by the first words it is given.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Not `ws`: Bun has its own. */
const LAZY_PACKAGES = ['pino', 'pino-pretty', '@xterm/headless', '@xterm/addon-serialize'];
/** Those of which the programs name what they use in a module; see there. */
const LAZY_MODULES = { 'vendor-ax': 'src/agent/vendor/ax.ts', 'vendor-mcp': 'src/agent/vendor/mcp.ts' };
/**
 * Of NAME-quick.js: its verbs, the group that they belong to, the folder that their modules lie in; and what they do
 * without there, with the flag, or the variable, that asks for it.
 */
const QUICK = {
  wreckit: {
    verbs: ['start', 'exec', 'list'],
    group: 'sprite',
    dir: '/commands/sprite/',
    without: { modules: /\/commands\/sprite\/push-directory\.ts$/, flag: '--push' },
  },
  wisp: {
    verbs: ['start', 'exec', 'list'],
    dir: '/wisp/verbs/',
    without: { modules: /\/(wisp|engine)\/cloud\//, flag: '--engine', variable: 'WISP_ENGINE' },
  },
};

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

/** Leaves out what is loaded for other verbs: nobody gets there. */
function onlyQuickVerbs({ verbs, dir, without }) {
  const kept = verbs.map((verb) => `${dir}${verb}.ts`);
  const isVerbTable = /\/(wisp\/verb-table|commands\/([a-z]+\/)*index)\.ts$/;
  return {
    name: 'only-quick-verbs',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        if (kind !== 'dynamic-import') return undefined;
        const target = join(dirname(importer), path);
        const isOther = isVerbTable.test(importer) && !kept.some((end) => target.endsWith(end));
        return isOther || without.modules.test(target) ? { path, external: true } : undefined;
      });
    },
  };
}

/** Who puts another word or a flag before the verb gets the whole program, which does the same. */
function chooser(name, { verbs, group, without }) {
  const conditions = [
    `${JSON.stringify(verbs)}.includes(process.argv[${group ? 3 : 2}])`,
    ...(group ? [`process.argv[2]==='${group}'`] : []),
    `!process.argv.some((word)=>word.startsWith('${without.flag}'))`,
    ...(without.variable ? [`!process.env.${without.variable}`] : []),
  ];
  return `require(${conditions.join('&&')}?'./${name}-quick.js':'./${name}-whole.js');\n`;
}

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
  const path = join(root, entry);
  await bundle(`${name}-whole`, path, [asFilesOfTheirOwn]);
  await bundle(`${name}-quick`, path, [asFilesOfTheirOwn, onlyQuickVerbs(QUICK[name])]);
  writeFileSync(join(out, `${name}.js`), chooser(name, QUICK[name]));
}
for (const name of LAZY_PACKAGES) await bundle(fileOf(name), Bun.resolveSync(name, root), []);
for (const [name, entry] of Object.entries(LAZY_MODULES)) await bundle(name, join(root, entry), []);
