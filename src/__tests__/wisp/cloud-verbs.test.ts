import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServedProcess, startServe } from '../api/served-process.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { isSane, Pty } from './pty.ts';
import { WispProcess, wispArgv, wispEnv } from './wisp-process.ts';

/** `wisp --engine cloud …` as a program, at a real `wisp serve` with a token. */
let dir: TempDir;
let served: ServedProcess;

beforeAll(async () => {
  dir = tempDir();
  served = await startServe(dir.join('served'));
});

afterAll(async () => {
  const wisp = cloud();
  for (const { name } of (await wisp.json(['list'])).document.data.sprites) await wisp.json(['kill', name]);
  await served.stop();
  dir[Symbol.dispose]();
});

/** A client with a state directory of its own. */
class CloudWisp extends WispProcess {
  override readonly env: Readonly<Record<string, string>>;

  constructor(home: string, more: Readonly<Record<string, string>>) {
    super(home);
    this.env = { ...wispEnv(home), SPRITES_API_URL: served.url, ...more };
  }
}

function cloud(more: Readonly<Record<string, string>> = {}): CloudWisp {
  return new CloudWisp(dir.join('client'), { WISP_ENGINE: 'cloud', SPRITES_TOKEN: served.token, ...more });
}

/** Nobody has logged in here, and nothing says cloud. */
function stranger(name: string, more: Readonly<Record<string, string>> = {}): CloudWisp {
  return new CloudWisp(dir.join(name), more);
}

describe('the verbs', () => {
  test('start, exec, logs, sessions, kill-session, files, push, pull, checkpoints, policy, kill', async () => {
    const wisp = cloud();
    const started = await wisp.json([
      'start',
      'demo',
      '--label',
      'a=b',
      '--network',
      'filtered',
      '--allow',
      'example.com',
    ]);
    expect(started.document.data).toMatchObject({
      created: true,
      sprite: { name: 'demo', engine: 'cloud', network: 'filtered' },
    });
    expect((await wisp.json(['start', 'demo'])).document.data.created).toBe(false);

    const ran = await wisp.text([
      'exec',
      'demo',
      '--env',
      'A=1',
      '--',
      'sh',
      '-c',
      'echo $A; echo e >&2; exit 5',
    ]);
    expect(ran).toEqual({ exitCode: 5, stdout: '1\n', stderr: 'e\n' });
    expect((await wisp.text(['exec', 'demo', '--stdin', '--', 'cat'], { stdin: 'through' })).stdout).toBe(
      'through',
    );
    expect((await wisp.text(['exec', 'demo', '--', 'nosuchprogram'])).exitCode).toBe(127);
    expect((await wisp.text(['exec', 'demo', '--timeout', '300ms', '--', 'sleep', '60'])).exitCode).toBe(7);

    const { stdout } = await wisp.text([
      'exec',
      'demo',
      '--detach',
      '--',
      'sh',
      '-c',
      'echo begun; sleep 100',
    ]);
    const id = stdout.trim();
    const listed = (await wisp.json(['sessions', 'demo'])).document.data.sessions;
    expect(listed.find((session: { id: string }) => session.id === id)).toMatchObject({
      state: 'running',
      command: ['sh', '-c', 'echo begun; sleep 100'],
    });
    expect((await wisp.json(['kill-session', 'demo', id])).document.data).toEqual({
      exit_code: 143,
      already_gone: false,
    });
    expect((await wisp.text(['logs', 'demo', id])).stdout).toBe('begun\n');

    writeFileSync(dir.join('note'), 'a note\n');
    expect((await wisp.text(['push', 'demo', dir.join('note'), 'project/'])).exitCode).toBe(0);
    expect((await wisp.text(['fs', 'read', 'demo', 'project/note'])).stdout).toBe('a note\n');
    expect((await wisp.text(['pull', 'demo', 'project', dir.join('back')])).exitCode).toBe(0);
    expect(readFileSync(dir.join('back', 'note'), 'utf8')).toBe('a note\n');

    expect((await wisp.json(['checkpoint', 'create', 'demo'])).document.data.checkpoint.id).toBe('v1');
    expect((await wisp.json(['policy', 'allow', 'demo', 'example.org'])).document.data.rules).toContainEqual({
      domain: 'example.org',
      action: 'allow',
    });
    expect((await wisp.json(['kill', 'demo'])).document.data).toEqual({ killed: ['demo'] });
  });

  test('unknown is 3, unsupported is 9, a bad name never leaves this machine, and each is one document', async () => {
    const wisp = cloud();
    for (const [args, code, exitCode] of [
      [['info', 'nosuch'], 'SPRITE_NOT_FOUND', 3],
      [['kill', 'nosuch'], 'SPRITE_NOT_FOUND', 3],
      [['sessions', 'nosuch'], 'SPRITE_NOT_FOUND', 3],
      [['exec', 'nosuch', '--', 'true'], 'SPRITE_NOT_FOUND', 125],
      [['info', '../x'], 'SPRITE_NAME_INVALID', 2],
      [['fork', 'nosuch', 'b'], 'UNSUPPORTED', 9],
      [['start', 'n', '--image', './x'], 'UNSUPPORTED', 9],
    ] as const) {
      const answer = await wisp.json(args);
      expect([args.join(' '), answer.document.error?.code, answer.exitCode]).toEqual([
        args.join(' '),
        code,
        exitCode,
      ]);
    }
  });

  test('a terminal works as at home: keys go in, the code comes out', async () => {
    const wisp = cloud();
    await wisp.json(['start', 'term']);
    await using pty = new Pty(wispArgv('attach', 'term'), { env: wisp.env, cols: 93, rows: 33 });
    await pty.see('$ ');
    pty.type('stty size; exit 4\r');
    expect((await pty.end()).exitCode).toBe(4);
    expect(pty.text).toContain('33 93');
  });
});

describe('which engine', () => {
  test('a token, a login and a tool named sprite choose nothing: local stays the default', async () => {
    const tools = dir.join('tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'sprite'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const wisp = stranger('chooses', { SPRITES_TOKEN: served.token, SPRITE_TOKEN: served.token });
    await wisp.text(['login', '--token-stdin'], { stdin: served.token });
    const { document } = await wisp.json(['engine'], {
      env: { ...wisp.env, PATH: `${tools}:${wisp.env.PATH}` },
    });
    expect(document.data).toMatchObject({ engine: 'local', origin: 'default' });
    expect((await wisp.json(['version'])).document.data.backend).toBeUndefined();
  });

  test('the flag wins over WISP_ENGINE, and nonsense is refused', async () => {
    const wisp = cloud();
    expect((await wisp.json(['engine'])).document.data).toMatchObject({
      engine: 'cloud',
      origin: 'WISP_ENGINE',
    });
    expect((await wisp.json(['engine', '--engine', 'local'])).document.data).toMatchObject({
      engine: 'local',
      origin: '--engine',
    });
    const wrong = await cloud({ WISP_ENGINE: 'moon' }).json(['list']);
    expect([wrong.exitCode, wrong.document.error.code]).toEqual([2, 'CONFIG_INVALID']);
  });

  test('version needs no token; doctor says that one is missing', async () => {
    const wisp = stranger('tokenless', { WISP_ENGINE: 'cloud' });
    expect((await wisp.json(['version'])).document.data).toMatchObject({
      engine: 'wreckit-wisp',
      protocol: 1,
      backend: 'cloud',
      api_url: served.url,
    });
    expect((await wisp.json(['doctor'])).document.data.checks[0]).toMatchObject({
      name: 'api',
      status: 'fail',
    });
    const list = await wisp.json(['list']);
    expect([list.exitCode, list.document.error.code]).toEqual([4, 'AUTH_MISSING']);
    expect(list.document.error.hint).toContain('login');
  });

  test('a token does not go over a network in the clear unless that is meant', async () => {
    const plain = { SPRITES_API_URL: 'http://192.0.2.1:9' };
    const refused = await cloud(plain).json(['list']);
    expect([refused.exitCode, refused.document.error.code]).toEqual([8, 'POLICY_DENIED']);
    const login = await cloud(plain).json(['login', '--token-stdin'], { stdin: 'org/1/2/secret' });
    expect(login.document.error.code).toBe('POLICY_DENIED');
    for (const url of ['ftp://x', 'http://user:pass@127.0.0.1', 'unix:relative', 'nonsense']) {
      const wrong = await cloud({ SPRITES_API_URL: url }).json(['list']);
      expect([wrong.exitCode, wrong.document.error.code]).toEqual([2, 'CONFIG_INVALID']);
      expect(JSON.stringify(wrong.document)).not.toContain('pass@');
    }
  });
});

describe('login', () => {
  test('tries the token, keeps it 0600, uses it, says whose it is, and forgets it', async () => {
    const wisp = stranger('login', { WISP_ENGINE: 'cloud' });
    const file = dir.join('login', 'credentials.json');
    const refused = await wisp.json(['login', '--token-stdin'], { stdin: 'org/1/2/not-the-token\n' });
    expect([refused.exitCode, refused.document.error.code]).toEqual([4, 'AUTH_REJECTED']);
    expect(existsSync(file)).toBe(false);

    const done = await wisp.json(['login', '--token-stdin'], { stdin: `${served.token}\n` });
    expect(done.document.data).toEqual({ api_url: served.url, organization: 'local', stored_in: 'file' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await wisp.json(['list'])).exitCode).toBe(0);
    const who = await wisp.json(['whoami']);
    expect(who.document.data).toMatchObject({
      api_url: served.url,
      organization: 'local',
      token_origin: 'login (file)',
    });
    for (const document of [refused.document, done.document, who.document]) {
      expect(JSON.stringify(document)).not.toContain(served.token);
      expect(JSON.stringify(document)).not.toContain('not-the-token');
    }

    // Another server has no part in it.
    const elsewhere = await wisp.json(['list'], {
      env: { ...wisp.env, SPRITES_API_URL: 'http://127.0.0.1:9' },
    });
    expect(elsewhere.document.error.code).toBe('AUTH_MISSING');

    chmodSync(file, 0o644);
    expect((await wisp.json(['list'])).document.error).toMatchObject({
      code: 'CONFIG_INVALID',
      hint: `chmod 600 ${file}`,
    });
    chmodSync(file, 0o600);
    expect((await wisp.json(['logout'])).document.data).toMatchObject({
      was_logged_in: true,
      removed_from: 'file',
    });
    expect(readFileSync(file, 'utf8')).not.toContain(served.token);
    expect((await wisp.json(['logout'])).document.data.was_logged_in).toBe(false);
    expect((await wisp.json(['whoami'])).exitCode).toBe(4);
  });

  test('goes to the system keyring where secret-tool works, over stdin, and comes back from there', async () => {
    const tools = tempDir();
    const kept = tools.join('kept');
    const calls = tools.join('calls');
    const tool = `#!/bin/sh\necho "$*" >> ${calls}\ncase $1 in store) cat > ${kept};; lookup) cat ${kept};; clear) rm ${kept};; esac\n`;
    writeFileSync(tools.join('secret-tool'), tool, { mode: 0o755 });
    const home = 'keyring';
    const wisp = stranger(home, {
      WISP_ENGINE: 'cloud',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
      PATH: `${tools.path}:${process.env.PATH}`,
    });
    expect(
      (await wisp.json(['login', '--token-stdin'], { stdin: served.token })).document.data.stored_in,
    ).toBe('keyring');
    expect(readFileSync(kept, 'utf8')).toBe(served.token);
    expect(readFileSync(dir.join(home, 'credentials.json'), 'utf8')).not.toContain(served.token);
    expect(readFileSync(calls, 'utf8')).not.toContain(served.token);
    expect((await wisp.json(['whoami'])).document.data.token_origin).toBe('login (keyring)');
    expect((await wisp.json(['logout'])).document.data.removed_from).toBe('keyring');
    expect(existsSync(kept)).toBe(false);
    tools[Symbol.dispose]();
  });

  test('at a terminal nothing of the token is shown, also pasted, corrected and left', async () => {
    const wisp = stranger('prompt');
    await using pty = new Pty(wispArgv('login'), { env: wisp.env });
    await pty.see('it is not shown');
    pty.type(`wrong\x15\x1b[200~${served.token}X\x1b[201~\x7f\r`);
    const { exitCode, settings } = await pty.end();
    expect(pty.text).toContain('logged in');
    expect(exitCode).toBe(0);
    expect(isSane(settings)).toBe(true);
    expect(pty.bytes.toString()).not.toContain(served.token.slice(-20));

    await using left = new Pty(wispArgv('login'), { env: wisp.env });
    await left.see('it is not shown');
    left.type('secret-beginning\x03');
    expect((await left.end()).exitCode).toBe(130);
    expect(left.bytes.toString()).not.toContain('secret-beginning');
  });

  test('without a terminal and without --token-stdin it is said how', async () => {
    const wisp = stranger('noinput');
    expect((await wisp.json(['login'])).document.error).toMatchObject({ code: 'NOT_A_TTY' });
    const asked = await wisp.json(['login', '--no-input']);
    expect(asked.document.error.hint).toContain('--token-stdin');
    expect((await wisp.json(['login', '--token-stdin'], { stdin: 'two words' })).document.error.code).toBe(
      'AUTH_REJECTED',
    );
  });
});
