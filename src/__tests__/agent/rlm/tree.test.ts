/** A tree of agents as a whole: one pool, and what becomes of its sprites and their work. */
import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startModelServer, type Turn } from '../../../../fixtures/model-server/server.ts';
import { Budget } from '../../../agent/rlm/budget.ts';
import { SpriteScope } from '../../../agent/rlm/sprite-scope.ts';
import { toolErrorOf } from '../../../agent/rlm/tool.ts';
import { buildToolRegistry } from '../../../agent/rlm-tools.ts';
import { runAgentUnion } from '../../../agent/runner.ts';
import { SpriteRunner } from '../../../agent/sprite-runner.ts';
import { packageRoot } from '../../../package-root.ts';
import { SpriteAgentSchema } from '../../../schemas.ts';
import { eventually } from '../../helpers/eventually.ts';
import { succeed } from '../../helpers/programs.ts';
import { ran } from './rlm-run.ts';
import { type ToolKit, toolKit } from './tool-kit.ts';

const SLOW = 120_000;
const call = (name: string, input: Record<string, unknown>): Turn => ({ call: { name, input } });
const shell = (name: string, script: string): Turn =>
  call('exec_in_sprite', { name, command: ['sh', '-c', script] });

test(
  'a sprite that another agent of the tree made, or that ended without us, makes room in the one pool',
  async () => {
    await using kit = toolKit({ limits: { maxVMs: 2 } });
    const { client, budget } = kit;
    const child = new SpriteScope({ client, owner: 'tree-1', budget });
    await child.spawn('of-the-child', {});
    await kit.call('spawn_sprite', { name: 'mine' });
    const full = await kit.call('spawn_sprite', { name: 'third' });
    expect([full.error.code, full.error.details.budget]).toEqual(['SPRITE_LIMIT', 'maxVMs']);
    expect(await kit.call('kill_sprite', { name: 'of-the-child' })).toEqual({ killed: ['of-the-child'] });
    expect(await kit.call('spawn_sprite', { name: 'third' })).toMatchObject({ name: 'third' });
    await client.kill(['mine']);
    expect(await kit.call('spawn_sprite', { name: 'fourth' })).toMatchObject({ name: 'fourth' });
    expect(budget.spent.vms).toBe(2);
  },
  SLOW,
);

test(
  'spawn_sprite twice with one name makes one, also at once, and counts one',
  async () => {
    await using kit = toolKit({ limits: { maxVMs: 3 } });
    const answers = await Promise.all([1, 2, 3].map(() => kit.call('spawn_sprite', { name: 'same' })));
    expect(answers.filter(({ error }) => error?.code === 'SPRITE_EXISTS')).toHaveLength(2);
    expect(kit.budget.spent.vms).toBe(1);
  },
  SLOW,
);

/** A wisp whose `start` is `script`, with $WISP for the real one. */
function wispWithStart(kit: ToolKit, script: string): string {
  const program = kit.dir.join('wisp-with-start');
  const wisp = join(packageRoot(), 'bin', 'wisp');
  const text = `#!/bin/sh\nWISP=${wisp}\n[ "$1" = start ] || exec $WISP "$@"\n${script}\n`;
  writeFileSync(program, text, { mode: 0o755 });
  return program;
}

test(
  'a start that is given up in the middle leaves no sprite, and gives its room back',
  async () => {
    await using kit = toolKit();
    const budget = new Budget({ maxVMs: 1 });
    // It makes the sprite, and does not come back.
    const wispPath = wispWithStart(kit, '$WISP "$@"; exec sleep 600');
    const client = new SpriteRunner({ env: kit.env, wispPath });
    const scope = new SpriteScope({ client, owner: 'tree-1', budget });
    const registry = buildToolRegistry(undefined, { sprites: { scope } });
    const controller = new AbortController();
    const spawning = registry.get('spawn_sprite')?.call({ name: 'half' }, { signal: controller.signal });
    await eventually(async () => (await kit.client.list()).some(({ state }) => state === 'running'));
    controller.abort();
    expect(toolErrorOf((await spawning) ?? {})?.code).toBe('ABORTED');
    await scope.settled();
    expect(await kit.client.list()).toEqual([]);
    expect(budget.spent.vms).toBe(0);
  },
  SLOW,
);

test(
  'a run that is stopped while it starts a sprite leaves none',
  async () => {
    await using kit = toolKit();
    const controller = new AbortController();
    const begun = kit.dir.join('begun');
    // It makes the sprite only after it was told to end.
    const wispPath = wispWithStart(kit, `trap : TERM; : >${begun}; sleep 60; $WISP "$@"`);
    const running = ran(kit, [call('spawn_sprite', { name: 'late' }), { text: 'never said' }], {
      config: { wispPath },
      signal: controller.signal,
    });
    await eventually(() => existsSync(begun));
    controller.abort();
    expect((await running).result.outcome).toBe('aborted');
    expect(await kit.client.list()).toEqual([]);
  },
  SLOW,
);

test(
  'sprites that an agent starts get what the configuration says: limits, and names its network lets through',
  async () => {
    await using kit = toolKit();
    const turns = [
      call('spawn_sprite', { name: 'second', network: 'filtered' }),
      call('run_agent_in_sprite', { agent: 'rlm', prompt: 'child task' }),
    ];
    const done: Turn = { text: 'done' };
    await using server = await startModelServer(({ body, rounds }) => {
      const [task] = (body as { messages: unknown[] }).messages;
      const isChild = JSON.stringify(task).includes('child task');
      const ofChild = rounds === 0 ? call('spawn_sprite', { name: 'third', network: 'none' }) : done;
      return isChild ? ofChild : (turns[rounds] ?? done);
    });
    const result = await runAgentUnion({
      config: SpriteAgentSchema.parse({
        kind: 'sprite',
        agent: { kind: 'rlm' },
        defaultMemory: '256MiB',
        defaultCPUs: '0.5',
        allow: ['models.corp.example'],
        keep: 'always',
      }),
      cwd: kit.project,
      prompt: 'do it',
      sourceEnv: { ...kit.env, ANTHROPIC_API_KEY: 'sk-test-key-123456', ANTHROPIC_BASE_URL: server.url },
    });
    expect([result.outcome, result.message]).toEqual(['completed', null]);
    const sprites = await kit.client.list();
    expect(sprites).toHaveLength(4);
    for (const { name, network, resources } of sprites) {
      const isThird = name === 'third';
      expect([name, network, resources.memory_bytes, resources.cpus]).toEqual([
        name,
        isThird ? 'none' : 'filtered',
        256 * 1024 ** 2,
        0.5,
      ]);
      const policy = await succeed([join(packageRoot(), 'bin', 'wisp'), 'policy', 'get', name], {
        env: kit.env,
      });
      expect([name, policy.includes('models.corp.example')]).toEqual([name, !isThird]);
    }
  },
  SLOW,
);

test(
  'work in a child sprite that nobody pulled is saved as a patch at the end, and what was pulled is not',
  async () => {
    await using kit = toolKit();
    const { result, events } = await ran(kit, [
      call('spawn_sprite', { name: 'left', push_project: true }),
      shell('left', 'echo left > left.txt; echo pulled > pulled.txt'),
      call('spawn_sprite', { name: 'bare' }),
      call('pull_from_sprite', { name: 'left', path: 'pulled.txt' }),
      { text: 'done' },
    ]);
    expect(result.outcome).toBe('completed');
    const patch = patchesOf(kit);
    expect(patch).toHaveLength(1);
    expect(patch[0]).toContain('+left');
    expect(patch[0]).not.toContain('pulled');
    const told = events.flatMap((event) => (event.type === 'error' ? [event.message] : []));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^sprite "left": its changes were not pulled: they are in .*\.patch$/);
    expect(await kit.client.list()).toEqual([]);
    expect(recordsOf(kit)).toEqual([]);
  },
  SLOW,
);

test(
  'work that was pulled onto a branch is not saved a second time',
  async () => {
    await using kit = toolKit();
    await succeed(['git', 'init', '-q'], { cwd: kit.project });
    const { result, events } = await ran(
      kit,
      [
        call('spawn_sprite', { name: 'left', push_project: true }),
        shell('left', 'echo one > one.txt'),
        call('pull_from_sprite', { name: 'left' }),
        shell('left', 'echo two > two.txt'),
        { text: 'done' },
      ],
      { config: { sandbox: undefined } },
    );
    expect(result.outcome).toBe('completed');
    const branches = await succeed(['git', 'branch', '--list', 'wreckit/*'], { cwd: kit.project });
    expect(branches).toMatch(/-left-/);
    expect(patchesOf(kit)).toHaveLength(1);
    expect(patchesOf(kit)[0]).toContain('+two');
    expect(patchesOf(kit)[0]).not.toContain('+one');
    expect(events.filter(({ type }) => type === 'error')).toHaveLength(1);
  },
  SLOW,
);

test(
  'a child sprite whose work cannot be taken over whole is kept and named',
  async () => {
    await using kit = toolKit();
    const { events } = await ran(kit, [
      call('spawn_sprite', { name: 'odd', push_project: true }),
      shell('odd', 'mkfifo pipe && echo work > work.txt'),
      { text: 'done' },
    ]);
    const told = events.flatMap((event) => (event.type === 'error' ? [event.message] : []));
    expect(told.join()).toMatch(
      /^sprite "odd": its changes .*\.patch; it is kept: some of its files were not taken over$/,
    );
    expect((await kit.client.list()).map(({ name }) => name)).toEqual(['odd']);
  },
  SLOW,
);

test(
  'the end of a killed sprite is the end of its record in the project',
  async () => {
    await using kit = toolKit({ scope: {} });
    const scope = new SpriteScope({ ...kit.scope.options, projectRoot: kit.project });
    await kit.call('spawn_sprite', { name: 'one', push_project: true });
    expect(recordsOf(kit)).toEqual(['one']);
    await scope.kill(['one']);
    expect(recordsOf(kit)).toEqual([]);
  },
  SLOW,
);

test(
  'kill -9 of the program in mid-run: the next gc finds the tree, saves its work and removes it',
  async () => {
    await using kit = toolKit();
    await succeed(['git', 'init', '-q'], { cwd: kit.project });
    let isThere = false;
    await using server = await startModelServer(({ rounds }) => {
      if (rounds === 0) return call('spawn_sprite', { name: 'child', push_project: true });
      if (rounds === 1) return shell('child', 'echo precious > work.txt');
      isThere = true;
      return { hang: true };
    });
    const wreckit = join(packageRoot(), 'bin', 'wreckit');
    const env = { ...kit.env, ANTHROPIC_API_KEY: 'sk-test-key-123456', ANTHROPIC_BASE_URL: server.url };
    const program = spawn(wreckit, ['run', '--agent', 'rlm', 'do it'], {
      cwd: kit.project,
      env,
      stdio: 'ignore',
    });
    const ended = once(program, 'exit');
    await eventually(() => isThere, { timeoutMs: 60_000, what: 'the agent at work' });
    const gc = async (...more: string[]) =>
      JSON.parse(
        await succeed([wreckit, 'sprite', 'gc', '--json', ...more], { cwd: kit.dir.path, env: kit.env }),
      ).data;
    // It runs, so nothing of it is anybody's to remove.
    expect(await gc()).toEqual({ removed: [], kept: [] });
    program.kill('SIGKILL');
    await ended;
    expect((await gc('--dry-run')).removed).toMatchObject([{ name: 'child' }]);
    expect(await kit.client.list()).toHaveLength(2);
    const { removed, kept } = await gc();
    expect(removed).toMatchObject([{ kind: 'sprite', name: 'child' }]);
    expect(removed[0].reason).toContain('the agent that started it was killed');
    expect(patchesOf(kit)[0]).toContain('+precious');
    expect(kept).toHaveLength(1);
    expect(kept[0].reason).toMatch(/wreckit runs land \d+-\d+-[0-9a-f]+, in /);
    const [main] = await kit.client.list();
    expect(main?.name).toBe(kept[0].name);
    const [, run = ''] = /land (\S+),/.exec(kept[0].reason) ?? [];
    await succeed([wreckit, 'runs', 'land', run], { cwd: kit.project, env: kit.env });
    await kit.client.kill([kept[0].name]);
    expect(await gc()).toEqual({ removed: [], kept: [] });
  },
  SLOW,
);

test(
  'wisp gone in mid-run: its calls fail by name, the model is told, and the end says what is left',
  async () => {
    await using kit = toolKit();
    const wisp = kit.dir.join('my-wisp');
    writeFileSync(wisp, `#!/bin/sh\nexec '${join(packageRoot(), 'bin', 'wisp')}' "$@"\n`, { mode: 0o755 });
    const { result, events } = await ran(
      kit,
      ({ rounds }) => {
        if (rounds === 0) return call('spawn_sprite', { name: 'child' });
        if (rounds === 1) {
          rmSync(wisp);
          return shell('child', 'true');
        }
        return { text: 'I stop here.' };
      },
      { config: { wispPath: wisp } },
    );
    expect([result.outcome, result.output]).toEqual(['completed', 'I stop here.']);
    const [failure] = events.flatMap((event) => (event.type === 'tool_error' ? [event.message] : []));
    expect(failure).toContain('my-wisp');
    const told = events.flatMap((event) => (event.type === 'error' ? [event.message] : []));
    expect(told.join()).toContain('wreckit sprite gc');
    expect((await kit.client.list()).map(({ name }) => name)).toEqual(['child']);
  },
  SLOW,
);

function patchesOf({ project }: ToolKit): string[] {
  const dir = join(project, '.wreckit', 'sync', 'unpulled');
  return existsSync(dir) ? readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8')) : [];
}

function recordsOf({ project }: ToolKit): string[] {
  const dir = join(project, '.wreckit', 'sync', 'sprites');
  return existsSync(dir) ? readdirSync(dir) : [];
}
