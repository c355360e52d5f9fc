/** Ways out of a sprite, tried for real; each must end in the refusal that is written here. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import { describeAsRoot } from '../helpers/as-root.ts';
import { type LocalSprite, localSprite } from '../helpers/local-sprite.ts';

const isRoot = process.getuid?.() === 0;
let sprite: LocalSprite;

beforeAll(async () => {
  sprite = await localSprite(isRoot ? { memoryBytes: 256 * 1024 ** 2, pids: 128 } : {});
});

afterAll(async () => {
  await sprite[Symbol.asyncDispose]();
});

/** What `command` says as the sprite's root, with its exit code. */
async function asRoot(command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sprite.exec(command, { user: 'root', env: { LC_ALL: 'C' } });
  return `${exitCode} ${stdout}${stderr}`.trim();
}

async function asUser(command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sprite.exec(command, { env: { LC_ALL: 'C' } });
  return `${exitCode} ${stdout}${stderr}`.trim();
}

/** Makes one system call (numbers of x86-64) with perl, which every Debian has; says what became of it. */
function systemCall(number: number, ...args: number[]): string {
  return `perl -e 'syscall(${[number, ...args].join(', ')}) < 0 and die "$!"'`;
}

describe('a process of the host', () => {
  test('can neither be seen, signalled nor entered', async () => {
    const child = spawn('sleep', ['60'], { env: { ...process.env, WISP_CANARY: 'host-environment' } });
    await once(child, 'spawn');
    try {
      expect(await asRoot(`kill -0 ${child.pid}`)).toMatch(/^1 .*No such process$/s);
      expect(await asRoot(`ls /proc/${child.pid}/root`)).toMatch(/^2 .*No such file or directory$/s);
      expect(
        await asRoot('cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c host-environment'),
      ).toBe('1 0');
      expect(await asRoot('ls -d /proc/[0-9]* | wc -l')).toMatch(/^0 [1-9]$/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  test('gives nothing but the standard streams', async () => {
    // The fourth is the directory that ls reads.
    expect(await asUser('ls /proc/self/fd | xargs')).toBe('0 0 1 2 3');
  });
});

describe('the kernel', () => {
  test.each([
    ['mount', 'mount -t tmpfs none /mnt', /permission denied|Operation not permitted/],
    ['mount of a control group (release_agent)', 'mount -t cgroup -o memory none /mnt', /permission denied/],
    ['new user namespace', 'unshare --user true', /Operation not permitted/],
    ['new mount namespace', 'unshare --mount true', /Operation not permitted/],
    ['entering namespaces', 'nsenter --target 1 --mount true', /Operation not permitted/],
    ['block device node', 'mknod /tmp/disk b 8 0', /Operation not permitted/],
    ['kernel memory node', 'mknod /tmp/mem c 1 1', /Operation not permitted/],
    [
      'core pattern',
      'echo "|/bin/false" > /proc/sys/kernel/core_pattern',
      /Read-only file system|Permission denied/,
    ],
    [
      'sysrq',
      'echo b > /proc/sysrq-trigger',
      /Read-only file system|Permission denied|nonexistent|No such file/,
    ],
    ['sysfs', 'echo 1 > /sys/kernel/profiling', /Read-only file system|Permission denied|nonexistent/],
    ['kernel module', systemCall(175, 0, 0, 0), /Operation not permitted/],
    ['host name', 'hostname evil', /Operation not permitted|you must be root/],
    ['clock', 'date -s 2001-01-01', /Operation not permitted/],
    [
      'raw socket',
      `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) or die "$!"'`,
      /Operation not permitted/,
    ],
    ['kernel keyring', systemCall(250, 0, -3, 1), /Operation not permitted/],
    ['bpf', systemCall(321, 0, 0, 0), /Operation not permitted/],
    ['io_uring', systemCall(425, 1, 0), /Operation not permitted/],
    ['handles instead of paths', systemCall(304, 0, 0, 0), /Operation not permitted/],
  ])('refuses the root of a sprite: %s', async (_what, command, refusal) => {
    const said = await asRoot(command);
    expect(said).toMatch(/^[1-9]/);
    expect(said).toMatch(refusal);
  });

  test('shows no block device and no kernel memory', async () => {
    expect(await asRoot('find /dev -type b | wc -l')).toBe('0 0');
    expect(await asRoot('find /dev -name mem -o -name kmsg -o -name port | wc -l')).toBe('0 0');
    expect(await asRoot('head -c 16 /proc/kcore | wc -c')).toMatch(/^0 0/);
  });

  test('gives no rights to a setuid program', async () => {
    await asRoot('cp /bin/sh /tmp/rootsh && chmod 4755 /tmp/rootsh');
    const own = await asUser('id -u');
    expect(await asUser('/tmp/rootsh -p -c "id -u"')).toBe(own);
  });
});

describe('the terminal of the host', () => {
  test('is not there to type into (TIOCSTI)', async () => {
    expect(await asUser('echo id > /dev/tty')).toMatch(/No such device or address/);
    expect(await asUser('ls /dev/pts')).toBe('0 ptmx');
  });
});

describe('the network of the host', () => {
  test('can not be reached: loopback, abstract and file sockets', async () => {
    const servers = [net.createServer(), net.createServer(), net.createServer()] as const;
    const path = `${process.env.TMPDIR}/host.sock`;
    const abstract = `\0wisp-test-${process.pid}`;
    servers[0].listen(0, '127.0.0.1');
    servers[1].listen(path);
    servers[2].listen(abstract);
    await Promise.all(servers.map((server) => (server.listening ? null : once(server, 'listening'))));
    try {
      const address = servers[0].address();
      const port = typeof address === 'object' ? address?.port : undefined;
      expect(await asUser(`bash -c 'echo > /dev/tcp/127.0.0.1/${port}'`)).toMatch(/^1 .*Connection refused/s);
      expect(await asUser(`ls ${path}`)).toMatch(/^2 .*No such file/s);
      const connect = `socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, pack_sockaddr_un("\\0${abstract.slice(1)}")) or die "$!"`;
      expect(await asRoot(`perl -MSocket -e '${connect}'`)).toMatch(/^[1-9].*Connection refused/s);
      expect(await asUser('cat /proc/net/dev | tail -n +3 | cut -d: -f1 | xargs')).toMatch(/^0 lo( |$)/);
    } finally {
      for (const server of servers) server.close();
      rmSync(path, { force: true });
    }
  });
});

describeAsRoot('limits', () => {
  test('stop a fork bomb at the number of processes', async () => {
    const bomb = 'i=0; while [ $i -lt 400 ]; do sleep 600 & i=$((i+1)); done; echo made all';
    expect(await asUser(bomb)).toMatch(/^2 .*Cannot fork/s);
    await sprite.engine.stop('demo');
    expect(await asUser('echo still here')).toBe('0 still here');
  });

  test('stop a memory bomb at the memory', async () => {
    const said = await asUser(`perl -e '$x = "a" x (600 * 1024 * 1024); print length $x'`);
    expect(said).toMatch(/^137/);
    expect(await asUser('echo still here')).toBe('0 still here');
  });

  test('stop one file from filling the disk', async () => {
    const said = await asUser('trap "" XFSZ; dd if=/dev/zero of=/tmp/big bs=1 count=1 seek=1T');
    expect(said).toMatch(/^[1-9].*File too large/s);
  });
});
