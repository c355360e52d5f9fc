/** A container with next to nothing in it, for tests of what runs inside: `await using sprite = await bareContainer();`. */
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningSprite } from '../../engine/local/inside.ts';
import { sessionsDir } from '../../engine/local/sessions/session-dir.ts';
import { readFacts, sessionIds, supervisorOf } from '../../engine/local/sessions/session-facts.ts';
import { requireTool } from '../../engine/local/tools.ts';
import { identify, isSameProcess } from '../../process/identity.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { eventually } from './eventually.ts';
import { tempDir } from './temp-dir.ts';

const UID = 60_700;
const HOME = '/home/sprite';
const INIT = 'trap "exit 0" TERM; while :; do sleep 2147483647 & wait $!; done';

export interface BareContainer extends RunningSprite, AsyncDisposable {
  /** SIGKILL to PID 1: the kernel ends everything inside. */
  killInit(): Promise<void>;
}

export async function bareContainer(): Promise<BareContainer> {
  const dir = tempDir();
  const runtime = requireTool('runc', 'runc');
  const root = dir.join('runtime');
  const id = `wisp-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  makeBundle(dir.path);
  const runtimeArgv = [runtime, '--root', root, '--log', dir.join('log')];
  const result = await run(
    [...runtimeArgv, 'run', '--detach', '--bundle', dir.path, '--pid-file', dir.join('init.pid'), id],
    { stdout: 'ignore', stderr: 'ignore', timeoutMs: 30_000 },
  );
  if (result.failed) throw new Error(`bare container: ${readFileSync(dir.join('log'), 'utf8')}`);
  const initPid = Number(readFileSync(dir.join('init.pid'), 'utf8'));
  const killInit = async (): Promise<void> => {
    if (identify(initPid) !== null) process.kill(initPid, 'SIGKILL');
    await eventually(() => identify(initPid) === null, { what: 'the end of PID 1' });
  };
  return {
    name: 'demo',
    id,
    dir: dir.path,
    runtime,
    runtimeRoot: root,
    containerId: id,
    initPid,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME, USER: 'sprite', LANG: 'C.UTF-8' },
    home: HOME,
    users: {
      sprite: { uid: UID, gid: UID, home: HOME, capabilities: [] },
      root: { uid: 0, gid: 0, home: '/root', capabilities: ['CAP_DAC_OVERRIDE', 'CAP_KILL'] },
    },
    rlimits: [],
    killInit,
    [Symbol.asyncDispose]: async () => {
      await killInit();
      const gone = await run([...runtimeArgv, 'delete', '--force', id], { timeoutMs: 30_000 });
      if (gone.failed) throw new Error(`bare container: ${decodeUtf8(gone.stderr)}`);
      await eventually(() => areSupervisorsGone(dir.path), { what: 'the end of all supervisors' });
      dir[Symbol.dispose]();
    },
  };
}

/** They end by themselves once nothing runs inside. */
function areSupervisorsGone(dir: string): boolean {
  return sessionIds(dir).every((sessionId) => {
    const facts = readFacts(join(sessionsDir(dir), sessionId));
    return facts?.state == null || !isSameProcess(supervisorOf(facts.meta, facts.state));
  });
}

function makeBundle(bundle: string): void {
  const rootfs = join(bundle, 'rootfs');
  for (const name of ['usr', 'tmp', 'dev', 'proc', 'etc', 'root', 'home/sprite'])
    mkdirSync(join(rootfs, name), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(rootfs, name));
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    `root:x:0:0::/root:/bin/sh\nsprite:x:${UID}:${UID}::${HOME}:/bin/sh\n`,
  );
  chownSync(join(rootfs, HOME), UID, UID);
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(bundleSpec()));
}

function bundleSpec(): object {
  const tmpfs = { type: 'tmpfs', source: 'tmpfs' };
  const pts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'];
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/bin/sh', '-c', INIT],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [
      { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] },
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', ...tmpfs, options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: pts },
    ],
    linux: { namespaces: ['pid', 'ipc', 'mount', 'network'].map((type) => ({ type })) },
  };
}
