import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { isVerbGroup, type VerbEntry, type VerbNode } from '../../cli/verb.ts';
import { verbs } from '../../wisp/verb-table.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runWisp } from './run-wisp.ts';

const BAD_NAMES = [
  '',
  'A',
  '-o',
  'a_b',
  '../x',
  'a/b',
  'a?force=true',
  'a\n',
  'a ',
  '-',
  'a-',
  '.',
  'x'.repeat(64),
];
/** A valid rest of the command line of every verb that takes a sprite's name. */
const AFTER_NAME: Readonly<Record<string, readonly string[]>> = {
  start: [],
  info: [],
  stop: [],
  wake: [],
  kill: [],
  exec: ['--', 'true'],
  attach: [],
  sessions: [],
  logs: ['s1'],
  'kill-session': ['s1'],
  'fs read': ['/x'],
  'fs write': ['/x'],
  'fs ls': [],
  'fs rm': ['/x'],
  'fs mkdir': ['/x'],
  'fs mv': ['/x', '/y'],
  'fs chmod': ['/x', '0644'],
  ports: [],
  proxy: ['80'],
  push: ['-', '/x'],
  pull: ['/x', '-'],
};

function entries(nodes: readonly VerbNode[], path: readonly string[] = []): [string, VerbEntry][] {
  return nodes.flatMap((node) =>
    isVerbGroup(node)
      ? entries(node.verbs, [...path, node.name])
      : [[[...path, node.name].join(' '), node] as [string, VerbEntry]],
  );
}

for (const [verb, after] of Object.entries(AFTER_NAME)) {
  test(`wisp ${verb} refuses every bad name before it touches anything`, async () => {
    using dir = tempDir();
    for (const name of BAD_NAMES) {
      // A name that begins with a dash is a flag, unless it can't be one.
      const argv = [...verb.split(' '), '--json', name, ...after];
      const { exitCode, stdout } = await runWisp(argv, { env: { WISP_HOME: dir.path, HOME: dir.path } });
      const document = JSON.parse(stdout);
      expect(document.success).toBe(false);
      expect(document.verb).toBe(verb);
      expect(document.error.code).toBe(name === '-o' ? 'USAGE' : 'SPRITE_NAME_INVALID');
      expect(exitCode).toBe(verb === 'exec' ? 125 : 2);
    }
    expect(readdirSync(dir.path)).toEqual([]);
  });
}

test('wisp refuses bad flag values and flags that cannot go together, and touches nothing', async () => {
  using dir = tempDir();
  const cases: readonly (readonly [string, string])[] = [
    ['start demo --memory 12parsecs', 'not a size'],
    ['start demo --memory 0', 'not above 0'],
    ['start demo --memory -1', 'not a size'],
    ['start demo --cpus 0', 'not a number of CPUs'],
    ['start demo --cpus many', 'not a number of CPUs'],
    ['start demo --pids 1.5', 'not a whole number'],
    ['start demo --ttl soon', 'not a duration'],
    ['start demo --ttl 0s', 'not above 0'],
    ['start demo --network host', 'neither "none"'],
    ['start demo --env 1A=x', "not a variable's name"],
    ['start demo --env NOT_SET_HERE', 'has no value here'],
    ['start demo --label x', 'not a label'],
    ['start demo --label =x', 'not a label'],
    ['start demo --allow not_a_domain', 'not a domain'],
    ['start demo --min-isolation hope', 'neither "namespace"'],
    ['start demo --network none --allow npmjs.org', "can't go together"],
    ['start demo --network open --allow npmjs.org', "can't go together"],
    ['start demo --image x --from other', "can't go together"],
    ['start demo other', 'too many arguments'],
    ['start', 'missing required argument'],
    ['start demo --engine vm', 'neither "local" nor "cloud"'],
    ['list --prefix A', 'not the beginning'],
    ['list --label x', 'not a label'],
    ['kill', 'either names or labels'],
    ['kill demo --label a=b', 'either names or labels'],
    ['kill-session demo s1 --signal NOPE', 'not a signal'],
    ['kill-session demo s1 --grace never', 'not a duration'],
    ['logs demo s1 --from x', 'not a byte offset'],
    ['logs demo s1 --stream stdin', 'neither "stdout"'],
    ['logs demo s1 --follow --max-output 1MiB', '--max-output'],
    ['attach demo s1 --last', "can't go together"],
    ['attach demo --detach-key a', 'not a key such as'],
    ['attach demo --read-only', 'for a session that is there'],
    ['attach demo s1 --from x', 'not a byte offset'],
    ['fs chmod demo /x u+x', 'not an octal mode'],
    ['fs write demo /x --mode 9', 'not an octal mode'],
    ['fs cat demo /x', 'not a command'],
    ['proxy demo', 'missing required argument'],
    ['proxy demo x', 'not a port'],
    ['proxy demo 0', 'not a port'],
    ['proxy demo 80:0', 'not a port'],
    ['proxy demo 70000', 'not a port'],
    ['proxy demo 80:', 'not a port'],
    ['proxy demo 80:90:100', 'not a port'],
    ['proxy demo 8080:80 8080:81', 'named twice'],
    ['ports', 'missing required argument'],
    ['selftest demo', 'too many arguments'],
    ['start demo --idle-timeout soon', 'not a duration'],
    ['serve --warm-after soon', 'not a duration'],
    ['serve --cold-after 0s', 'not between'],
    ['lst', 'not a command'],
    ['exec demo', 'no command given after "--"'],
    ['exec demo -- ', 'no command given after "--"'],
    ['exec demo ls', 'too many arguments'],
    ['exec demo --detach --stdin -- ls', "can't go together"],
    ['exec demo --detach --max-output 1MiB -- ls', "can't go together"],
    ['exec demo --max-output 1MiB -- ls', 'needs --json'],
    ['exec demo --encoding base64 -- ls', 'needs --json'],
    ['exec demo --detach-key ctrl-a -- ls', 'needs --tty'],
    ['exec demo --timeout 0s -- ls', 'not between'],
    ['exec demo --timeout 30d -- ls', 'not between'],
    ['exec demo --user ../root -- ls', "not a user's name"],
    ['exec demo --env-file /nowhere -- ls', 'ENOENT'],
    ['exec demo --nope -- ls', 'unknown option'],
  ];
  const env = { WISP_HOME: dir.path, HOME: dir.path };
  for (const [line, problem] of cases) {
    const argv = line.split(' ').filter((word) => word !== '');
    const { exitCode, stdout, stderr } = await runWisp(argv, { env });
    expect(stderr).toContain(problem);
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
    expect(stdout).toBe('');
    expect(exitCode).toBe(line.startsWith('exec') ? 125 : 2);
  }
  expect(readdirSync(dir.path)).toEqual([]);
});

test('wisp exec refuses a directory that is not absolute and a document it cannot print', async () => {
  const dir = await runWisp(['exec', 'demo', '--json', '--dir', 'project', '--', 'ls']);
  expect(JSON.parse(dir.stdout).error.code).toBe('PATH_INVALID');
  const tty = await runWisp(['exec', 'demo', '--tty', '--json', '--', 'ls']);
  expect(JSON.parse(tty.stdout).error).toMatchObject({ code: 'USAGE' });
  const pull = await runWisp(['pull', 'demo', 'x', '-', '--json']);
  expect(JSON.parse(pull.stdout).error).toMatchObject({ code: 'USAGE' });
});

test('wisp attach and exec --tty without a terminal name exec', async () => {
  for (const argv of [
    ['attach', 'demo'],
    ['attach', 'demo', 's1'],
    ['exec', 'demo', '--tty', '--', 'sh'],
  ]) {
    const { exitCode, stderr } = await runWisp(argv);
    expect(stderr).toContain('is not a terminal');
    expect(stderr).toContain('wisp exec demo -- CMD');
    expect(exitCode).toBe(argv[0] === 'exec' ? 125 : 2);
  }
});

test('what this engine has not answers UNSUPPORTED, whatever the arguments', async () => {
  const lacking = entries(verbs).filter(([, { section }]) => section?.startsWith('Not supported'));
  for (const [name] of lacking) {
    for (const more of [[], ['demo', '--watch'], ['add', 'demo', '--', 'run', '-x']]) {
      const { exitCode, stdout } = await runWisp(['--json', ...name.split(' '), ...more]);
      expect(JSON.parse(stdout)).toMatchObject({
        success: false,
        verb: name,
        error: { code: 'UNSUPPORTED' },
      });
      expect(exitCode).toBe(9);
    }
  }
});

test('every verb explains itself with examples that begin with its own name', async () => {
  const all = entries(verbs);
  expect(all.length).toBeGreaterThan(25);
  for (const [name, entry] of all) {
    const module = await entry.load();
    expect(module.examples.length).toBeGreaterThan(0);
    for (const [line] of module.examples) expect(line).toContain(`wisp ${name}`);
    const { exitCode, stdout } = await runWisp([...name.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain(`wisp ${name}`);
  }
});
