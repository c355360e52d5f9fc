import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type ServedProcess, startServe } from '../api/served-process.ts';
import { fakeWisp } from '../helpers/fake-wisp.ts';
import { type SpriteProject, spriteProject, WRECKIT } from '../helpers/sprite-project.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wreckitJson } from '../helpers/wreckit.ts';

/** `wreckit` with a real `wisp serve` as its cloud. */
let dir: TempDir;
let served: ServedProcess;

beforeAll(async () => {
  dir = tempDir();
  served = await startServe(dir.join('served'));
});

afterAll(async () => {
  await served.stop();
  dir[Symbol.dispose]();
});

function cloudProject(): SpriteProject {
  const project = spriteProject({ 'a.txt': 'one\n' });
  project.env.SPRITES_API_URL = served.url;
  return project;
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into the document as it likes
type Document = any;

function json(
  project: SpriteProject,
  args: readonly string[],
  input?: string,
): { status: number | null; document: Document; all: string } {
  const { cwd, env } = { cwd: project.path, env: project.env };
  const done = spawnSync(WRECKIT, ['--json', ...args], {
    cwd,
    env,
    encoding: 'utf8',
    input: input ?? '',
    timeout: 90_000,
  });
  return { status: done.status, document: JSON.parse(done.stdout), all: done.stdout + done.stderr };
}

test('login keeps the token with wisp, whoami tells where it comes from, logout forgets it', () => {
  using project = cloudProject();
  const missing = json(project, ['sprite', 'whoami']);
  expect([missing.status, missing.document.error.code]).toEqual([4, 'AUTH_MISSING']);
  const refused = json(project, ['sprite', 'login', '--token-stdin'], 'org/1/2/some-other-token\n');
  expect([refused.status, refused.document.error.code]).toEqual([4, 'AUTH_REJECTED']);
  const done = json(project, ['sprite', 'login', '--token-stdin'], `${served.token}\n`);
  expect(done.document).toMatchObject({
    verb: 'sprite login',
    data: { organization: 'local', stored_in: 'file' },
  });
  expect(existsSync(project.beside('wisp/credentials.json'))).toBe(true);
  expect(json(project, ['sprite', 'whoami']).document.data).toMatchObject({
    api_url: served.url,
    token_origin: 'login (file)',
  });
  expect(json(project, ['sprite', 'list', '--engine', 'cloud']).document.data).toEqual({ sprites: [] });
  project.env.SPRITES_TOKEN = served.token;
  const who = json(project, ['sprite', 'whoami']);
  expect(who.document.data.token_origin).toBe('SPRITES_TOKEN');
  delete project.env.SPRITES_TOKEN;
  expect(json(project, ['sprite', 'logout']).document.data.was_logged_in).toBe(true);
  expect(readFileSync(project.beside('wisp/credentials.json'), 'utf8')).not.toContain(served.token);
  for (const { all } of [refused, done, who]) {
    expect(all).not.toContain(served.token);
    expect(all).not.toContain('some-other-token');
  }
});

test('login hands the token to wisp on stdin alone: not in argv, not in the environment', async () => {
  using home = tempDir();
  const answer = {
    success: true,
    verb: 'login',
    data: { api_url: 'https://x', organization: 'o', stored_in: 'file' },
  };
  const fake = fakeWisp(home, { login: { stdout: answer, read_stdin: true } });
  const { exitCode, document } = await wreckitJson(['sprite', 'login', '--token-stdin'], {
    env: { ...fake.env, WRECKIT_WISP_PATH: fake.path },
    stdin: 'org/1/2/a-canary-token\n',
  });
  expect([exitCode, document.data.organization]).toEqual([0, 'o']);
  const call = fake.calls().find(({ argv }) => argv[0] === 'login');
  const read = fake.calls().find(({ verb }) => verb === 'login stdin');
  expect(call?.argv).toEqual(['login', '--json', '--token-stdin']);
  expect(Buffer.from(read?.stdin ?? '', 'base64').toString()).toBe('org/1/2/a-canary-token\n');
  expect(JSON.stringify([call?.argv, call?.env])).not.toContain('canary');
});

test('a token and a login choose no engine; the flag, the variable and the configuration do, in that order', () => {
  using project = cloudProject();
  project.env.SPRITES_TOKEN = served.token;
  const engine = (...args: string[]) => {
    const { engine: name, origin } = json(project, ['engine', 'explain', ...args]).document.data;
    return [name, origin];
  };
  expect(engine()).toEqual(['local', 'default']);
  project.write({ '.wreckit/config.json': '{\n  "engine": "cloud"\n}' });
  expect(engine()).toEqual(['cloud', '.wreckit/config.json:2']);
  project.env.WRECKIT_ENGINE = 'local';
  expect(engine()).toEqual(['local', 'WRECKIT_ENGINE']);
  expect(engine('--engine', 'cloud')).toEqual(['cloud', '--engine']);
  project.write({ '.wreckit/config.json': '{"engine": "Moon 1"}' });
  delete project.env.WRECKIT_ENGINE;
  const refused = json(project, ['sprite', 'list']);
  expect([refused.status, refused.document.error.code]).toEqual([2, 'CONFIG_INVALID']);
  project.write({ '.wreckit/config.json': '{}' });
});

test('engine explain says isolation, cost, needs and lacks of both, and changes nothing', () => {
  using project = cloudProject();
  const local = json(project, ['engine']).document.data;
  expect(local).toMatchObject({ engine: 'local', wisp: 'bundled', api_url: null, lacks: [] });
  expect(local.isolation).toContain('namespace');
  expect(local.needs.map(({ name }: { name: string }) => name)).toContain('oci-runtime');
  const cloud = json(project, ['engine', '--engine', 'cloud']).document.data;
  expect(cloud).toMatchObject({ engine: 'cloud', api_url: served.url, token_origin: null });
  expect(cloud.lacks).toContain('stop');
  expect(cloud.needs[0]).toMatchObject({ name: 'engine', status: 'fail' });
  project.env.SPRITES_TOKEN = served.token;
  const ready = json(project, ['engine', '--engine', 'cloud']).document.data;
  expect(ready.token_origin).toBe('SPRITES_TOKEN');
  expect(ready.needs[0]).toMatchObject({ name: 'api', status: 'ok' });
  expect(JSON.stringify(ready)).not.toContain(served.token);
  expect(json(project, ['sprite', 'list', '--engine', 'cloud']).document.data.sprites).toEqual([]);
});

test('wreckit run in the cloud: push, agent, pull, land, and the sprite is gone', () => {
  using project = cloudProject();
  project.env.SPRITES_TOKEN = served.token;
  project.agent('cat; env > env.txt; echo two >> a.txt; mkdir d; echo new > d/b.txt', { maxVMs: 2 });
  const { status, data } = project.run('--engine', 'cloud', 'do it');
  expect(status).toBe(0);
  expect(data.run).toMatchObject({ outcome: 'completed' });
  const branch = project.git('branch', '--format=%(refname:short)', '--list', 'wreckit/*').trim();
  expect(project.git('show', `${branch}:a.txt`)).toBe('one\ntwo\n');
  expect(project.git('show', `${branch}:d/b.txt`)).toBe('new\n');
  // The token reaches the sprite cloud and no agent.
  expect(project.git('show', `${branch}:env.txt`)).not.toContain(served.token);
  expect(json(project, ['sprite', 'list', '--engine', 'cloud']).document.data.sprites).toEqual([]);
});

test('a run whose agent fails keeps its sprite in the cloud, with the work on a branch', () => {
  using project = cloudProject();
  project.env.SPRITES_TOKEN = served.token;
  project.agent('echo half > half.txt; exit 3');
  const { status } = project.run('--engine', 'cloud', 'do it');
  expect(status).toBe(10);
  const branch = project.git('branch', '--format=%(refname:short)', '--list', 'wreckit/*').trim();
  expect(project.git('show', `${branch}:half.txt`)).toBe('half\n');
  const { sprites } = json(project, ['sprite', 'list', '--engine', 'cloud']).document.data;
  expect(sprites).toMatchObject([{ engine: 'cloud', network: 'none' }]);
  expect(sprites[0].owner).toBeString();
  expect(json(project, ['sprite', 'kill', '--engine', 'cloud', sprites[0].name]).status).toBe(0);
});
