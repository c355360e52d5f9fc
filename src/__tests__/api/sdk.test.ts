import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testNodePath } from '../../../scripts/lib/test-nodes.mjs';
import { testSdkDir } from '../../../scripts/lib/test-sdk.mjs';
import { run } from '../../process/run.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { engineOf, startServe } from './served-process.ts';

interface Step {
  readonly name: string;
  readonly value?: unknown;
  readonly error?: Readonly<Record<string, unknown>>;
}

/** Longer than the 45 s after which the SDK gives up on a server that says nothing. */
const SILENT_SECONDS = { bun: 60, node: 1 };

/** What the SDK has and the driver has no use for. */
const NOT_CALLED = [
  // What goes on over /control, which is refused (see "control mode"), so that its commands go the direct way.
  /^OpConn\./,
  /^ControlPool\./,
  /^ControlConnection\.(?!connect$)/,
  // Asks the real service, whatever the base URL.
  /^SpritesClient\.createToken$/,
];

async function drive(runtime: 'bun' | 'node'): Promise<Map<string, Step>> {
  const node = testNodePath(24);
  const sdk = join(testSdkDir(), 'node_modules/@fly/sprites/dist/index.js');
  for (const path of [node, sdk]) {
    if (!existsSync(path)) throw new Error(`${path}: not installed; run: node scripts/ensure.mjs --tests`);
  }
  using dir = tempDir();
  const server = await startServe(dir.path, { runtime, args: ['--drain', '0', '--network', 'filtered'] });
  const driver = join(import.meta.dirname, 'sdk-driver.mjs');
  const silent = String(SILENT_SECONDS[runtime]);
  const argv = [node, driver, server.url, server.tokenFile, pathToFileURL(sdk).href, silent];
  const result = await run(argv, { timeoutMs: 300_000 });
  const engine = engineOf(dir.path);
  for (const { name } of await engine.list()) await engine.kill(name);
  server.child.kill('SIGTERM');
  await server.ended;
  const lines = Buffer.from(result.stdout).toString().trim().split('\n');
  if (result.failed)
    throw new Error(`driver: ${lines.at(-1)}\n${Buffer.from(result.stderr)}${server.stderr()}`);
  const steps = lines.map((line) => JSON.parse(line) as Step);
  return new Map(steps.map((each) => [each.name, each]));
}

describe.each(['bun', 'node'] as const)(
  "Fly's SDK, unmodified on Node 24, against wisp serve on %s",
  (runtime) => {
    let steps: Map<string, Step>;
    beforeAll(async () => {
      steps = await drive(runtime);
    }, 330_000);

    const step = (name: string): Step => {
      const found = steps.get(name);
      if (found === undefined) throw new Error(`the driver did not come to ${name}`);
      return found;
    };
    const value = (name: string): unknown => {
      const { error, value: result } = step(name);
      expect({ name, error }).toEqual({ name, error: undefined });
      return result;
    };

    test('makes, lists, watches, changes, checks and removes sprites', () => {
      expect(value('create')).toEqual({
        hasId: true,
        name: 'sdk',
        status: 'running',
        labels: ['x', 'team=web'],
        auth: 'public',
        isDate: true,
      });
      expect(step('create again').error).toMatchObject({ statusCode: 409, errorCode: 'sprite_exists' });
      expect(value('create badly, in detail')).toEqual([false, false, false, null]);
      expect(step('create badly').error).toMatchObject({ statusCode: 400, errorCode: 'sprite_name_invalid' });
      expect(value('get')).toBe('running');
      expect(step('get missing').error).toMatchObject({ statusCode: 404 });
      expect(value('list')).toEqual({
        names: ['sdk'],
        running: 1,
        hasMore: false,
        organizationName: 'local',
      });
      expect(value('list all')).toEqual(['sdk']);
      expect(value('watch')).toEqual(['heartbeat', 'sdk', 'running', 1]);
      expect(value('update')).toEqual({ labels: ['y'], auth: 'sprite' });
      expect(value('update url')).toBeNull();
      expect(value('check')).toBe('healthy');
      expect(value('upgrade')).toBeNull();
      expect(value('restart')).toBe('sdk');
      expect(value('delete')).toBeNull();
      expect(value('delete another')).toBe(0);
      expect(step('get deleted').error).toMatchObject({ statusCode: 404 });
      expect(step('wrong token').error).toMatchObject({ statusCode: 401 });
    });

    test('runs commands, with and without a terminal, also silent ones', () => {
      expect(value('exec')).toBe('hello there\n');
      expect(value('exec file')).toBe('hello a b\n/tmp\nsprite\nno terminal\n');
      expect(step('exec failing').error).toMatchObject({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
      expect(value('exec large')).toBe(9_000_000);
      expect(value('exec http')).toEqual({ stdout: 'sent', stderr: 'err\n', exitCode: 0 });
      expect(step('exec http failing').error).toMatchObject({ exitCode: 3, stdout: 'out\n' });
      expect(value('spawn with stdin')).toEqual([0, '3000004']);
      expect(value('spawn and kill')).toBe(143);
      expect(value('command by hand')).toEqual([-1, 9, 9, 9, true, false, []]);
      // The SDK knows of a terminal's exit code only whether it was 0.
      expect(value('terminal with resize')).toEqual({ code: 1, isResized: true, got: true });
      expect(value('silent')).toEqual({ stdout: 'awake\n', exitCode: 0, isLong: true });
      expect(value('silent terminal')).toEqual({ code: 0, text: 'awake\r\n', errors: [] });
      expect(value('control mode')).toEqual([true, 'refused', false, 'direct after all\n']);
    });

    test('leaves sessions, lists them, comes back and ends them', () => {
      expect(value('sessions')).toEqual({
        tty: true,
        isActive: true,
        workdir: '/home/sprite',
        steps: ['signal', 'exited', 'complete'],
        exitCode: 137,
        code: 1,
        left: 0,
      });
      expect(value('kill in another way')).toEqual(['signal', 'exited', 'complete']);
      expect(value('attach missing')).toBe(true);
    });

    test('reads, writes and watches files', () => {
      expect(value('files')).toEqual({
        size: 11,
        mode: '644',
        isDate: true,
        directories: ['a', 'copy', 'dir', 'project'],
        found: ['c.txt', 'd.txt'],
        text: 'hello world',
        json: { a: [1] },
        mode2: '640',
        exists: [true, false],
      });
      expect(step('file missing').error).toMatchObject({ code: 'ENOENT' });
      expect(step('file in the way').error).toMatchObject({ code: 'ENOTEMPTY' });
      expect(value('file removed')).toBe(false);
      expect(step('file forbidden').error).toMatchObject({ code: 'EACCES' });
      expect(value('file watch')).toEqual(['subscribed', 'create', 5, [false, true, null]]);
    });

    test('saves and restores states', () => {
      expect(value('checkpoints')).toEqual({
        last: 'complete',
        ids: ['v1', 'Current'],
        id: 'v1',
        comment: 'first',
        isDate: true,
      });
      expect(value('checkpoints in other ways')).toEqual({
        types: ['info', 'info', 'complete', 'info', 'info', 'complete'],
        ids: ['v2', 'v3'],
        history: [expect.objectContaining({ id: 'v1', comment: 'first' })],
      });
      expect(step('checkpoint missing').error).toMatchObject({ message: 'Checkpoint not found: v99' });
      expect(value('restore')).toEqual(['complete', 'before']);
      expect(value('restore in other ways')).toEqual(['info', 'info', 'complete', 'info']);
    });

    test('watches ports and goes through them', () => {
      expect(value('ports and proxy')).toEqual({
        list: { type: 'port_list', ports: [] },
        opened: ['port_opened', 7100, '127.0.0.1'],
        isAddressed: true,
        echoed: 'through and back',
        closed: ['port_closed', 7100],
      });
    });

    test('runs services, and reads their logs', () => {
      expect(value('services')).toMatchObject({
        service: { name: 'web', cmd: 'sh', status: 'running' },
        listed: ['web'],
        printed: ['serving'],
        left: 0,
      });
    });

    test('reads and sets policies', () => {
      expect(value('network policy')).toBe(true);
      expect(value('network policy set')).toEqual([{ domain: 'example.com', action: 'allow' }]);
      expect(value('privileges policy')).toEqual({ profile: 'standard', devices: [], noNewPrivileges: true });
      expect(value('privileges policy set')).toBe('minimal');
      expect(step('privileges policy refused').error?.message).toContain('status 501');
      expect(value('privileges policy reset')).toBe('standard');
      const isRoot = process.getuid?.() === 0;
      if (isRoot) {
        expect(value('resources policy')).toEqual({ set: { limitMB: 600, autoscale: false }, isReset: true });
        expect(step('resources policy refused').error?.message).toContain('status 400');
      }
    });

    test('is called in every way it declares', () => {
      const uncalled = value('uncalled') as string[];
      expect(uncalled.filter((name) => !NOT_CALLED.some((pattern) => pattern.test(name)))).toEqual([]);
      expect(uncalled).toContain('SpritesClient.createToken');
    });
  },
);
