import { expect, test } from 'bun:test';
import { parsePlainly } from '../../cli/parse-plainly.ts';
import { type ParsedVerb, type ParseRequest, parseVerb, verbCommand } from '../../cli/parse-verb.ts';
import { type GlobalOption, isVerbGroup, type VerbModule, type VerbNode } from '../../cli/verb.ts';
import { globalOptions as wreckitOptions } from '../../commands/globals.ts';
import { verbs as wreckitVerbs } from '../../commands/index.ts';
import { globalOptions as wispOptions } from '../../wisp/globals.ts';
import { verbs as wispVerbs } from '../../wisp/verb-table.ts';

const PROGRAMS: readonly (readonly [readonly VerbNode[], readonly GlobalOption[]])[] = [
  [wreckitVerbs, wreckitOptions],
  [wispVerbs, wispOptions],
];
/** Of every kind that some parser takes. */
const VALUES = [
  '1',
  '0',
  '5s',
  '2MiB',
  'demo',
  'a=b',
  'NAME',
  'none',
  'local',
  'root',
  '/x',
  'x.org',
  'utf8',
  '',
  '-x',
];

async function modulesOf(nodes: readonly VerbNode[]): Promise<VerbModule[]> {
  const modules = nodes.map((node) =>
    isVerbGroup(node) ? modulesOf(node.verbs) : node.load().then((module) => [module]),
  );
  return (await Promise.all(modules)).flat();
}

function byCommander(request: ParseRequest): ParsedVerb | 'refused' {
  try {
    return parseVerb(request);
  } catch {
    return 'refused';
  }
}

/** Every flag alone, joined and with every value, after as many operands as there may be. */
function argumentLists(module: VerbModule, globalOptions: readonly GlobalOption[]): string[][] {
  const command = verbCommand({ name: 'x', summary: '', module, globalOptions });
  const counts = [0, 1, 2, command.registeredArguments.length];
  const operandLists = counts.flatMap((count) =>
    ['demo', '9', '/x'].map((word) => new Array<string>(count).fill(word)),
  );
  const flagLists = command.options.flatMap(({ short, long }) =>
    [short, long].flatMap((flag) =>
      flag == null
        ? []
        : [
            [flag],
            [flag, flag],
            ...VALUES.flatMap((value) => [[flag, value], [`${flag}=${value}`], [flag, value, flag, 'a']]),
          ],
    ),
  );
  const [operands = []] = operandLists.slice(-3);
  return [
    ...operandLists,
    ...flagLists.map((flags) => [...operands, ...flags]),
    ...flagLists.map((flags) => [...flags, ...operands]),
  ];
}

test('parsePlainly() understands a command line as commander does, or not at all', async () => {
  let understood = 0;
  for (const [verbs, globalOptions] of PROGRAMS) {
    for (const module of await modulesOf(verbs)) {
      for (const args of argumentLists(module, globalOptions)) {
        for (const rest of [null, [], ['true', '--json']]) {
          const request: ParseRequest = {
            name: 'x',
            summary: '',
            module,
            globalOptions,
            args,
            rest,
            columns: null,
          };
          const plain = parsePlainly(request);
          if (plain === null) continue;
          understood += 1;
          expect({ args, plain }).toEqual({ args, plain: byCommander(request) as ParsedVerb });
        }
      }
    }
  }
  expect(understood).toBeGreaterThan(1000);
});

test('parsePlainly() understands what the quick verbs are called with', async () => {
  const { verb } = await import('../../wisp/verbs/exec.ts');
  const args = ['--json', 'demo', '--dir', '/x', '--env', 'A=1', '--env', 'B=2', '--timeout', '5s', '-q'];
  const request = {
    name: 'x',
    summary: '',
    module: verb as VerbModule,
    globalOptions: wispOptions,
    columns: null,
  };
  expect(parsePlainly({ ...request, args, rest: ['sh', '-c', ':'] })).toEqual({
    kind: 'run',
    globals: { json: true, quiet: true, input: true },
    options: { dir: '/x', env: ['A=1', 'B=2'], timeout: 5000 },
    args: ['demo'],
    rest: ['sh', '-c', ':'],
  });
  expect(parsePlainly({ ...request, args: ['demo', '--jsn'], rest: ['true'] })).toBeNull();
  expect(parsePlainly({ ...request, args: ['demo'], rest: [] })).toBeNull();
});
