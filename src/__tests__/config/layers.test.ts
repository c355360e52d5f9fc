import { describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_CONFIG, DEFAULT_RLM_AGENT, DEFAULT_SPRITE_AGENT } from '../../config/defaults.ts';
import { RlmAgentSchema, SpriteAgentSchema, WreckitConfigSchema } from '../../schemas.ts';
import { CONFIG, LOCAL, project } from './project.ts';

test('the built-in defaults are those of the schemas', async () => {
  expect(WreckitConfigSchema.parse({})).toEqual(DEFAULT_CONFIG);
  expect(SpriteAgentSchema.parse({ kind: 'sprite' })).toEqual(DEFAULT_SPRITE_AGENT);
  expect(RlmAgentSchema.parse({ kind: 'rlm' })).toEqual(DEFAULT_RLM_AGENT);
  const { config, sprite, originOf } = await project().load();
  expect(config).toEqual(DEFAULT_CONFIG);
  expect(sprite).toEqual(DEFAULT_SPRITE_AGENT);
  expect(originOf(['agent', 'maxVMs'])).toMatchObject({ kind: 'default' });
});

test('a parsed configuration parses to itself', () => {
  const once = WreckitConfigSchema.parse({
    agent: { kind: 'sprite', timeout: '2m', defaultMemory: '1GiB', defaultCPUs: 2 },
  });
  expect(once.agent).toMatchObject({ timeout: 120, defaultCPUs: '2' });
  expect(WreckitConfigSchema.parse(once)).toEqual(once);
});

describe('loadConfig() puts each layer over the one below', () => {
  const key = 'base_branch';
  const layers: [name: string, label: string][] = [
    ['~/.wreckitrc', '~/.wreckitrc:1'],
    [CONFIG, `${CONFIG}:1`],
    ['.wreckitrc', '.wreckitrc:1'],
    [LOCAL, `${LOCAL}:1`],
  ];

  test('from the home to the flags', async () => {
    const here = project();
    for (const [name, label] of layers) {
      here.write(name, { [key]: `of-${name.replace(/\W/g, '')}` });
      const { config, originOf, labelOf } = await here.load();
      expect(config[key]).toBe(`of-${name.replace(/\W/g, '')}`);
      expect(labelOf(originOf([key]))).toBe(label);
    }
    const env = { WRECKIT_BASE_BRANCH: 'of-env' };
    const withEnv = await here.load({ env });
    expect(withEnv.config[key]).toBe('of-env');
    expect(withEnv.labelOf(withEnv.originOf([key]))).toBe('WRECKIT_BASE_BRANCH');
    const withFlag = await here.load({ env, flags: [{ flag: '--base', path: [key], value: 'of-flag' }] });
    expect(withFlag.config[key]).toBe('of-flag');
    expect(withFlag.labelOf(withFlag.originOf([key]))).toBe('--base');
    expect(withFlag.files.map(({ label }) => label)).toEqual(layers.map(([name]) => name));
  });

  test('objects key by key, each with its own origin, arrays as a whole', async () => {
    const { load } = project({
      '~/.wreckitrc': { pr_checks: { commands: ['a', 'b'], secret_scan: true } },
      [CONFIG]:
        '{\n  "pr_checks": {\n    "commands": ["c"]\n  },\n  "agent": {"kind": "rlm", "env": {"A": "1"}}\n}',
      [LOCAL]: { agent: { env: { B: '2' }, maxIterations: 7 } },
    });
    const { config, originOf, labelOf } = await load();
    expect(config.pr_checks).toMatchObject({ commands: ['c'], secret_scan: true });
    expect(config.agent).toEqual({ kind: 'rlm', env: { A: '1', B: '2' }, maxIterations: 7 });
    expect(labelOf(originOf(['pr_checks', 'commands']))).toBe(`${CONFIG}:3`);
    expect(labelOf(originOf(['pr_checks', 'secret_scan']))).toBe('~/.wreckitrc:1');
    expect(labelOf(originOf(['agent', 'env', 'A']))).toBe(`${CONFIG}:5`);
    expect(labelOf(originOf(['agent', 'env', 'B']))).toBe(`${LOCAL}:1`);
    expect(labelOf(originOf(['branch_cleanup', 'enabled']))).toBe('default');
    expect(labelOf(originOf(['agent', 'model']))).toBe('default');
  });

  test('settings of the default agent without naming its kind', async () => {
    const { load } = project({
      '~/.wreckitrc': { agent: { maxVMs: 2, env: { A: '1' } } },
      [CONFIG]: { agent: { agent: { model: 'm' } } },
    });
    expect((await load()).config.agent).toMatchObject({
      kind: 'sprite',
      maxVMs: 2,
      agent: { kind: 'rlm', model: 'm' },
    });
  });

  test('the kind of the default agent named above changes nothing below', async () => {
    const { load } = project({
      '~/.wreckitrc': { agent: { maxVMs: 2, agent: { model: 'm' } } },
      [CONFIG]: { agent: { kind: 'sprite', agent: { kind: 'rlm' } } },
    });
    expect((await load()).config.agent).toMatchObject({ maxVMs: 2, agent: { kind: 'rlm', model: 'm' } });
  });

  test('a change of kind keeps env, which belongs to no kind, and nothing else', async () => {
    const here = project({
      '~/.wreckitrc': { agent: { maxVMs: 2, env: { A: '1' } } },
      [CONFIG]: { agent: { kind: 'rlm', model: 'm' } },
    });
    expect((await here.load()).config.agent).toEqual({
      kind: 'rlm',
      model: 'm',
      maxIterations: 100,
      env: { A: '1' },
    });
    here.write(LOCAL, { agent: { kind: 'codex_sdk' } });
    expect((await here.load()).config.agent).toEqual({ kind: 'codex_sdk', env: { A: '1' } });
  });

  test('the inner agent of a sprite in the same way', async () => {
    const { load } = project({
      [CONFIG]: { agent: { kind: 'sprite', agent: { kind: 'claude_sdk', max_tokens: 5 } } },
      [LOCAL]: { agent: { agent: { command: 'my-agent', args: ['-x'] } } },
    });
    // The kind named below wins: a command alone does not change it.
    const { config, ignored } = await load();
    expect(config.agent).toMatchObject({ agent: { kind: 'claude_sdk', max_tokens: 5 } });
    expect(ignored.map(({ path }) => path.join('.'))).toEqual(['agent.agent.command', 'agent.agent.args']);
  });

  test('a change of the inner kind alone', async () => {
    const inner = { kind: 'claude_sdk', max_tokens: 5, env: { A: '1' } };
    const { load } = project({
      [CONFIG]: { agent: { kind: 'sprite', maxVMs: 3, agent: inner } },
      [LOCAL]: { agent: { agent: { kind: 'codex_sdk' } } },
    });
    const { config } = await load();
    expect(config.agent).toMatchObject({ kind: 'sprite', maxVMs: 3 });
    expect(config.agent).toHaveProperty('agent', { kind: 'codex_sdk', env: { A: '1' } });
  });

  test('a command in a higher layer never undoes a sandbox that was asked for', async () => {
    const { load } = project({
      [CONFIG]: { agent: { kind: 'sprite' } },
      [LOCAL]: { agent: { command: 'claude', args: ['--print'] } },
    });
    const { config, notices } = await load();
    expect(config.agent.kind).toBe('sprite');
    expect(notices[0]).toBe(`${LOCAL}:1: agent.command is ignored: "kind": "sprite" wins over it`);
  });

  test('what a process lacks in one file and has in the next', async () => {
    const { load, refusal, write } = project({ [CONFIG]: { agent: { kind: 'process' } } });
    expect((await refusal()).message).toBe(`config: ${CONFIG}:1: agent.command: is missing`);
    write(LOCAL, { agent: { command: 'x' } });
    expect((await load()).config.agent).toEqual({ kind: 'process', command: 'x', args: [] });
  });
});

describe('loadConfig() takes from the environment', () => {
  test('numbers, text and the agent, each refused with the name of its variable', async () => {
    const { load, refusal } = project();
    const env = {
      WRECKIT_MAX_ITERATIONS: '7',
      WRECKIT_TIMEOUT_SECONDS: '2m',
      WRECKIT_AGENT: 'rlm',
      WRECKIT_MODEL: 'm',
    };
    expect((await load({ env })).config).toMatchObject({
      max_iterations: 7,
      timeout_seconds: 120,
      agent: { kind: 'rlm', model: 'm' },
    });
    const error = await refusal({ env: { WRECKIT_MAX_ITERATIONS: 'many' } });
    expect(error.message).toBe('config: WRECKIT_MAX_ITERATIONS: max_iterations: "many" is not a number');
    expect((await refusal({ env: { WRECKIT_AGENT: 'nope' } })).message).toStartWith(
      'config: WRECKIT_AGENT: ',
    );
  });

  test('how sprites are made, for a sprite agent and for every other one', async () => {
    const env = { WRECKIT_WISP_PATH: '/opt/wisp', WRECKIT_MAX_VMS: '2', WRECKIT_DEFAULT_MEMORY: '1GiB' };
    const wanted = { wispPath: '/opt/wisp', maxVMs: 2, defaultMemory: '1GiB' };
    const asDefault = await project().load({ env });
    expect(asDefault.config.agent).toMatchObject(wanted);
    expect(asDefault.labelOf(asDefault.originOf(['agent', 'maxVMs']))).toBe('WRECKIT_MAX_VMS');
    const asProcess = await project({ [CONFIG]: { agent: { command: 'x' } } }).load({ env });
    expect(asProcess.config.agent).toEqual({ kind: 'process', command: 'x', args: [] });
    expect(asProcess.sprite).toMatchObject(wanted);
    const asRlm = await project({ [CONFIG]: { agent: { kind: 'rlm' } } }).load({ env });
    expect(asRlm.config.agent).toEqual({ kind: 'rlm', maxIterations: 100, wispPath: '/opt/wisp' });
    expect(asRlm.sprite).toMatchObject(wanted);
    const { refusal } = project({ [CONFIG]: { agent: { command: 'x' } } });
    const error = await refusal({ env: { WRECKIT_MAX_VMS: '0' } });
    expect(error.message).toBe('config: WRECKIT_MAX_VMS: maxVMs: 0 is below 1');
  });

  test('the sprites token before any file, and never gives it to the agent', async () => {
    const { load } = project({
      [LOCAL]: {
        agent: { kind: 'sprite', token: 'of-file', agent: { kind: 'rlm', env: { SPRITE_TOKEN: 'inner' } } },
      },
    });
    const ofFile = await load();
    expect(ofFile.spritesToken?.value).toBe('of-file');
    expect(JSON.stringify([ofFile.config, ofFile.sprite])).not.toMatch(/of-file|inner/);
    const ofEnv = await load({ env: { SPRITE_TOKEN: 'second', SPRITES_TOKEN: 'first' } });
    expect(ofEnv.spritesToken).toMatchObject({ value: 'first', origin: { source: 'SPRITES_TOKEN' } });
    const bare = await project().load({ env: { SPRITE_TOKEN: 'second' } });
    expect(bare.spritesToken).toMatchObject({ value: 'second', origin: { source: 'SPRITE_TOKEN' } });
  });

  test('nothing from an empty variable', async () => {
    const env = { WRECKIT_MAX_VMS: '', WRECKIT_AGENT: '', WRECKIT_CONFIG: '', SPRITES_TOKEN: '' };
    const { config, spritesToken } = await project().load({ env });
    expect(config).toEqual(DEFAULT_CONFIG);
    expect(spritesToken).toBeNull();
  });

  test('nothing from an unknown variable, but says so', async () => {
    const { notices } = await project().load({ env: { WRECKIT_MAX_VM: '3', WRECKIT_RUNTIME: 'bun' } });
    expect(notices).toEqual([
      'WRECKIT_MAX_VM in the environment is not a setting and is ignored: did you mean WRECKIT_MAX_VMS?',
    ]);
  });
});

describe('loadConfig() finds the project', () => {
  test('above the working directory, no further than the repository', async () => {
    const here = project({ '.wreckitrc': { base_branch: 'outside' } });
    const repository = join(here.root, 'repository');
    const deep = join(repository, 'a', 'b');
    mkdirSync(deep, { recursive: true });
    const outside = await here.load({ cwd: deep });
    expect(outside.config.base_branch).toBe('main');
    expect(outside.projectRoot).toBe(deep);
    execFileSync('git', ['init', '-q', repository]);
    expect((await here.load({ cwd: deep })).projectRoot).toBe(repository);
    expect((await here.load({ cwd: deep })).config.base_branch).toBe('main');
    here.write(`repository/${CONFIG}`, { base_branch: 'inside' });
    const inside = await here.load({ cwd: deep });
    expect(inside.config.base_branch).toBe('inside');
    expect(inside.files.map(({ label }) => label)).toEqual([`../../${CONFIG}`]);
  });

  test('in the home once, not as project and user', async () => {
    const here = project({ '~/.wreckitrc': { base_branch: 'home' } });
    const { files, config } = await here.load({ cwd: here.home });
    expect(files.map(({ label }) => label)).toEqual(['~/.wreckitrc']);
    expect(config.base_branch).toBe('home');
  });

  test('or the one file asked for instead', async () => {
    const here = project({
      [CONFIG]: { base_branch: 'project', max_iterations: 3 },
      '~/.wreckitrc': { max_iterations: 9 },
      'other.jsonc': '{ "base_branch": "other", // a comment\n}',
    });
    for (const options of [{ configFile: 'other.jsonc' }, { env: { WRECKIT_CONFIG: 'other.jsonc' } }]) {
      expect((await here.load(options)).config).toMatchObject({ base_branch: 'other', max_iterations: 9 });
    }
    expect((await here.refusal({ configFile: 'gone.json' })).message).toBe(
      'config: there is no file "gone.json"',
    );
  });
});

test('loadConfig() refuses to lose the sandbox another Wreckit was asked for', async () => {
  const compute = { backend: 'sprites' };
  const lost = project({ [CONFIG]: { agent: { command: 'claude' }, compute } });
  expect((await lost.refusal()).message).toBe(
    `config: ${CONFIG}:1: compute.backend: "sprites" asks for a sandbox, which an agent of kind "process" has not`,
  );
  const kept = await project({ [CONFIG]: { agent: { kind: 'sprite' }, compute } }).load();
  expect(kept.config.agent.kind).toBe('sprite');
});

test('loadConfig() lists the settings of Wreckit it has no use for', async () => {
  const { load } = project({
    [CONFIG]:
      '{"skills":{"phase_skills":{},"skills":[]},\n"doctor":{"enabled":true},\n"story_scope":{},"limits":{"maxIterations":3}}',
  });
  const { ignored, notices } = await load();
  expect(ignored.map(({ path }) => path[0])).toEqual(['skills', 'doctor', 'story_scope', 'limits']);
  expect(notices[1]).toBe(`${CONFIG}:2: doctor is ignored: this program has no use for it`);
});

test('loadConfig() lists settings that ask for what this program does not do, and only those', async () => {
  const asked = project({
    [CONFIG]: '{"merge_mode":"direct",\n"max_iterations":3,\n"pr_checks":{"secret_scan":true}}',
  });
  const { ignored, notices, config } = await asked.load();
  expect(ignored.map(({ path }) => path[0])).toEqual(['merge_mode', 'max_iterations', 'pr_checks']);
  expect(notices[2]).toBe(
    `${CONFIG}:3: pr_checks is ignored: nothing is merged here, so no check is run before`,
  );
  expect(config.pr_checks.secret_scan).toBe(true);
  const plain = project({
    [CONFIG]: { merge_mode: 'pr', pr_checks: { secret_scan: false }, branch_cleanup: {} },
  });
  expect((await plain.load()).ignored).toEqual([]);
});

test('loadConfig() says what is wrong with a file called .wreckit', async () => {
  const { root, refusal } = project();
  writeFileSync(join(root, '.wreckit'), 'mine');
  const { code, message } = await refusal();
  expect(code).toBe('CONFIG_INVALID');
  expect(message).toBe(`config: "${join(root, '.wreckit')}" is not a directory`);
});

describe('loadConfig() refuses a file', () => {
  test('that is a directory, a pipe, a link to nowhere, too large or not UTF-8', async () => {
    const directory = project();
    mkdirSync(join(directory.root, '.wreckitrc'));
    expect((await directory.refusal()).message).toBe('config: .wreckitrc is not a regular file');
    const pipe = project();
    execFileSync('mkfifo', [join(pipe.root, '.wreckitrc')]);
    expect((await pipe.refusal()).message).toBe('config: .wreckitrc is not a regular file');
    const link = project();
    symlinkSync('/nowhere/at/all', join(link.root, '.wreckitrc'));
    expect((await link.refusal()).message).toBe('config: .wreckitrc cannot be read: ENOENT');
    const large = project({ '.wreckitrc': `{"base_branch":"${'x'.repeat(1024 * 1024)}"}` });
    expect((await large.refusal()).message).toContain('larger than a configuration may be');
    const latin = project({ '.wreckitrc': Buffer.from('{"base_branch":"caf\xe9"}', 'latin1') });
    expect((await latin.refusal()).message).toBe('config: .wreckitrc is not UTF-8 text');
  });
});

test('loadConfig() takes a relative wispPath from where it was written', async () => {
  const here = project({ [CONFIG]: { agent: { kind: 'sprite', wispPath: './tools/wisp' } } });
  mkdirSync(join(here.root, 'deep'));
  execFileSync('git', ['init', '-q', here.root]);
  const cwd = join(here.root, 'deep');
  const wispPath = async (options: object) => (await here.load({ cwd, ...options })).sprite.wispPath;
  expect(await wispPath({})).toBe(join(here.root, 'tools/wisp'));
  expect(await wispPath({ env: { WRECKIT_WISP_PATH: './wisp' } })).toBe(join(cwd, 'wisp'));
  expect(await wispPath({ env: { WRECKIT_WISP_PATH: 'wisp' } })).toBe('wisp');
  here.write(LOCAL, { agent: { kind: 'process', command: 'x' } });
  expect(await wispPath({ env: { WRECKIT_WISP_PATH: './wisp' } })).toBe(join(cwd, 'wisp'));
  here.write('.wreckit/config.json', {});
  here.write(LOCAL, {});
  here.write('~/.wreckitrc', { agent: { kind: 'rlm', wispPath: 'bin/wisp' } });
  expect(await wispPath({})).toBe(join(here.home, 'bin/wisp'));
});
