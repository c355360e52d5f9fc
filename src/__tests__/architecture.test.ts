import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { parseSource, readSources, type SourceFile } from './helpers/source-files.ts';

interface Rule {
  /** Areas (folders and files directly below `src/`) or single files that it may import, besides itself and the base. */
  readonly may: readonly string[];
  readonly because: string;
}

/** What everything may import. */
const BASE = ['errors.ts', 'logging.ts', 'package-root.ts', 'nearest.ts'];

const RULES: Readonly<Record<string, Rule>> = {
  'errors.ts': { may: ['contract/error-codes.ts'], because: 'every error has a code of the contract' },
  'logging.ts': { may: [], because: 'everything logs, so logging knows nobody' },
  'nearest.ts': { may: [], because: 'any refused word may have a neighbour, so it knows nobody' },
  'package-root.ts': { may: [], because: 'everything may ask where the package lies' },
  contract: { may: [], because: 'both programs share it, so it imports nothing of either' },
  process: {
    may: ['contract/names.ts'],
    because:
      'it knows processes and no noun of sprites; of the contract only how a value is quoted in a message',
  },
  archive: { may: ['contract/names.ts'], because: 'it knows tar streams, not whose they are' },
  cli: {
    may: ['contract', 'process'],
    because: 'both programs share their command-line manners, and no verb',
  },
  engine: { may: ['contract', 'process', 'archive'], because: 'sprites are made without knowing who asks' },
  api: {
    may: ['engine', 'contract', 'process', 'cli'],
    because: 'routes are thin over the engine interface',
  },
  wisp: {
    may: ['engine', 'api', 'contract', 'process', 'cli', 'archive'],
    because: 'wisp knows sprites and nothing of agents, prompts or projects',
  },
  config: {
    may: ['schemas.ts', 'config.ts', 'contract', 'process'],
    because: 'settings are read, not acted on',
  },
  'config.ts': {
    may: ['schemas.ts', 'config', 'contract', 'process'],
    because: 'settings are read, not acted on',
  },
  'schemas.ts': { may: ['config', 'contract'], because: 'shapes know no behaviour' },
  sync: {
    may: ['contract', 'process', 'archive', 'agent/wisp-client', 'agent/sprite-runner.ts'],
    because: 'files travel through wisp, a child process, and through nothing else',
  },
  agent: {
    may: ['contract', 'process', 'sync', 'config', 'config.ts', 'schemas.ts', 'archive'],
    because: 'an agent reaches sprites through wisp, a child process, so that any wisp can stand in',
  },
  commands: {
    may: ['agent', 'sync', 'config', 'config.ts', 'schemas.ts', 'contract', 'process', 'cli', 'archive'],
    because: 'wreckit never makes a sandbox itself: no engine, api or wisp',
  },
  library: {
    may: ['agent', 'commands', 'sync', 'contract', 'process', 'cli', 'schemas.ts', 'config'],
    because: 'it hands on what the package is, and knows no entry and no engine',
  },
  'index.ts': {
    may: ['commands', 'cli', 'config', 'config.ts', 'contract', 'process'],
    because: 'the entry of wreckit',
  },
};

const ENTRIES = ['index.ts', 'wisp/index.ts'];
/** Both entries end through it. */
const EXIT_POINT = 'cli/main.ts';

/** Loaded by most calls: `wreckit sprite …` has the first two, the `wisp` it starts the others. */
const LOADED_BY_EVERY_VERB = [
  'index.ts',
  'agent/sprite-runner.ts',
  'commands/sprite/exec.ts',
  'wisp/index.ts',
  'wisp/verbs/exec.ts',
  'engine/local/local-engine.ts',
];
/** 3 to 8 ms each on Bun, of a program that starts in 10. */
const SLOW_MODULES =
  /^(zod|pino|node:(net|tls|tty|https?|http2|crypto|stream|zlib|readline|worker_threads))( |\/)/;

function areaOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function isAllowed(from: string, target: string): boolean {
  const area = areaOf(from);
  const allowed = [area, ...BASE, ...(RULES[area]?.may ?? [])];
  return allowed.some((each) => target === each || target.startsWith(`${each}/`));
}

/** `file imports target: reason` for each import against the rules. */
function forbiddenImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap(({ target }) => {
      if (target === null || isAllowed(path, target)) return [];
      return [
        `${path} imports ${target}: ${RULES[areaOf(path)]?.because ?? 'its area has no rule here yet'}`,
      ];
    }),
  );
}

const ENGINES = ['engine/local/', 'engine/cloud/'];

/** Imports of one engine's modules by the other, or by what both share. */
function importsAcrossEngines(files: readonly SourceFile[]): string[] {
  const engineOf = (path: string): string | undefined => ENGINES.find((each) => path.startsWith(each));
  return files.flatMap(({ path, imports }) =>
    imports.flatMap(({ target }) => {
      if (target === null || !path.startsWith('engine/')) return [];
      const owner = engineOf(target);
      return owner === undefined || owner === engineOf(path) ? [] : [`${path} imports ${target}`];
    }),
  );
}

/** One cycle of imports that exist at run time, as the paths along it; empty when there is none. */
function findCycle(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { target, isType } of byPath.get(path)?.imports ?? []) {
      const cycle = target === null || isType ? [] : visit(target, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of files) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** Packages and Node modules loaded with `entry`, lazy imports aside: `module (first file that loads it)`. */
function loadedWith(files: readonly SourceFile[], entry: string): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const modules = new Map<string, string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { specifier, target, isType, isLazy } of byPath.get(path)?.imports ?? []) {
      if (isType || isLazy) continue;
      if (target !== null) visit(target);
      else if (!modules.has(specifier)) modules.set(specifier, path);
    }
  };
  visit(entry);
  return [...modules].map(([name, path]) => `${name} (${path})`);
}

/** A file that only hands on what others export. */
function isBarrel(file: SourceFile, text: string): boolean {
  const statements = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').trim();
  return file.imports.length > 0 && /^(export [^;]*? from '[^']+';\s*)+$/.test(statements);
}

const root = join(packageRoot(), 'src');
const sources = readSources(root);

test('imports go only where the table allows', () => {
  expect(sources.length).toBeGreaterThan(20);
  expect(forbiddenImports(sources)).toEqual([]);
});

test('the engines know nothing of each other: what they share lies beside them', () => {
  expect(importsAcrossEngines(sources)).toEqual([]);
});

test('no import cycles', () => {
  expect(findCycle(sources)).toEqual([]);
});

test('no barrels but the index of a folder', async () => {
  const barrels: string[] = [];
  for (const file of sources) {
    // What is bundled of a library is named in one module: that is what it is for.
    if (file.path.endsWith('/index.ts') || file.path.startsWith('agent/vendor/')) continue;
    if (isBarrel(file, await Bun.file(join(root, file.path)).text())) barrels.push(file.path);
  }
  expect(barrels).toEqual([]);
});

test('both programs know their verb before they load any package but commander', () => {
  for (const entry of ENTRIES) {
    const packages = loadedWith(sources, entry).filter((each) => !each.startsWith('node:'));
    expect(packages.filter((each) => !each.startsWith('commander '))).toEqual([]);
  }
});

test('what every verb loads does without the slow modules', () => {
  const slow = (entry: string): string[] =>
    loadedWith(sources, entry).filter((each) => SLOW_MODULES.test(each));
  for (const entry of LOADED_BY_EVERY_VERB) expect({ entry, slow: slow(entry) }).toEqual({ entry, slow: [] });
});

test('sources run on Node and on Bun: nothing of Bun alone', () => {
  const used = sources.filter(
    ({ globals, imports }) =>
      globals.has('Bun') ||
      imports.some(({ specifier }) => specifier === 'bun' || specifier.startsWith('bun:')),
  );
  expect(used.map(({ path }) => path)).toEqual([]);
});

test('Node modules are imported with their prefix', () => {
  const bare =
    /^(fs|path|os|child_process|crypto|stream|util|url|events|http|net|tty|zlib|assert|timers)(\/|$)/;
  const found = sources.flatMap(({ path, imports }) =>
    imports.filter(({ specifier }) => bare.test(specifier)).map(({ specifier }) => `${path}: ${specifier}`),
  );
  expect(found).toEqual([]);
});

test('one place ends the process, and nothing writes to the console', () => {
  const found = sources.flatMap(({ path, globals }) =>
    [...globals]
      .filter((used) => used.startsWith('console.') || (used === 'process.exit' && path !== EXIT_POINT))
      .map((used) => `${path}: ${used}`),
  );
  expect(found).toEqual([]);
});

test('no file is longer than 400 lines', () => {
  expect(sources.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual(
    [],
  );
});

test('the rules see what is against them', () => {
  const file = (path: string, text: string): SourceFile => parseSource(path, text);
  expect(forbiddenImports([file('commands/x.ts', "import type { E } from '../engine/engine.ts';")])).toEqual([
    'commands/x.ts imports engine/engine.ts: wreckit never makes a sandbox itself: no engine, api or wisp',
  ]);
  expect(forbiddenImports([file('agent/x.ts', "const e = await import('../wisp/index.ts');")])).toHaveLength(
    1,
  );
  expect(forbiddenImports([file('sync/x.ts', "export { e } from '../agent/rlm-runner.ts';")])).toHaveLength(
    1,
  );
  expect(forbiddenImports([file('novel/x.ts', "import { e } from '../cli/io.ts';")])).toHaveLength(1);
  expect(forbiddenImports([file('contract/x.ts', "import { e } from '../errors.ts';")])).toEqual([]);
  expect(
    importsAcrossEngines([
      file('engine/cloud/x.ts', "import { y } from '../local/y.ts'; import { z } from './z.ts';"),
      file('engine/x.ts', "import { y } from './local/y.ts';"),
    ]),
  ).toEqual(['engine/cloud/x.ts imports engine/local/y.ts', 'engine/x.ts imports engine/local/y.ts']);
  const cycle = [
    file('a/x.ts', "import { y } from './y.ts';"),
    file('a/y.ts', "import { x } from './x.ts';"),
  ];
  expect(findCycle(cycle)).toEqual(['a/x.ts', 'a/y.ts', 'a/x.ts']);
  const heavy = [file('index.ts', "import { a } from './a.ts';"), file('a.ts', "import { z } from 'zod';")];
  expect(loadedWith(heavy, 'index.ts')).toEqual(['zod (a.ts)']);
  expect(loadedWith([file('index.ts', "import type { z } from 'zod'; import('zod')")], 'index.ts')).toEqual(
    [],
  );
  expect([...file('x.ts', 'console.log(1); process.exit(2); Bun.file(f);').globals]).toEqual([
    'console.log',
    'process.exit',
    'Bun.file',
    'Bun',
  ]);
  expect([...file('x.ts', "// console.log\nconst text = 'process.exit';").globals]).toEqual([]);
  expect(isBarrel(file('a/b.ts', "export { x } from './x.ts';"), "export { x } from './x.ts';")).toBe(true);
});
