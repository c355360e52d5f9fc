/**
 * Ways out of a sprite, each with the refusal it must end in; harmless, should one succeed. Used by `wisp selftest` and by the tests, so that
 * what users can check is what is checked here.
 */
import type { Bait } from './bait.ts';

export interface EscapeAttempt {
  readonly name: string;
  /** What is tried, for people. */
  readonly does: string;
  /** `root` is the sprite's. */
  readonly user: 'root' | 'sprite';
  /** What the sprite's root does for it first. */
  readonly before?: string | undefined;
  /** Run by sh. */
  readonly command: (bait: Bait) => string;
  /** Of the exit code, a space, and what the command printed: the only outcome that counts as refused. */
  readonly refusal: RegExp;
  /** A program of the sprite without which it can't be tried. */
  readonly needs?: string | undefined;
  /** A limit that must be enforced, else it can't be tried. */
  readonly limit?: 'memory' | 'pids' | undefined;
}

/** A system call by number (x86-64), made with perl, which every Debian has. */
function systemCall(number: number, ...args: number[]): string {
  return `perl -e 'syscall(${[number, ...args].join(', ')}) < 0 and die "$!"'`;
}

type Simple = readonly [name: string, does: string, command: string, refusal: RegExp];

const DENIED = /^[1-9].*(permission denied|Operation not permitted)/is;
const READ_ONLY = /^[1-9].*(Read-only file system|Permission denied|nonexistent|No such file)/s;

/** Asked of the kernel by the sprite's root. */
const OF_THE_KERNEL: readonly Simple[] = [
  ['mount', 'mount a file system', 'mount -t tmpfs none /mnt', DENIED],
  [
    'mount-cgroup',
    'mount a control group, for its release_agent',
    'mount -t cgroup -o memory none /mnt',
    DENIED,
  ],
  ['user-namespace', 'make a user namespace', 'unshare --user true', DENIED],
  ['mount-namespace', 'make a mount namespace', 'unshare --mount true', DENIED],
  ['enter-namespace', 'enter namespaces of a process', 'nsenter --target 1 --mount true', DENIED],
  ['block-device', 'make a node for the disk', 'mknod /tmp/disk b 8 0', DENIED],
  ['memory-device', "make a node for the kernel's memory", 'mknod /tmp/mem c 1 1', DENIED],
  ['core-pattern', 'have the kernel run a program', ': >> /proc/sys/kernel/core_pattern', READ_ONLY],
  ['sysrq', 'give the machine orders (sysrq)', ': >> /proc/sysrq-trigger', READ_ONLY],
  ['sysfs', 'write to /sys', ': >> /sys/kernel/profiling', READ_ONLY],
  ['host-name', 'change the host name', 'hostname evil', /^[1-9].*(not permitted|must be root)/s],
  ['clock', 'set the clock', 'date -s now', DENIED],
  ['devices', 'find a disk or the memory in /dev', 'ls -l /dev | grep -E "^b|mem$|kmsg$|port$"', /^1 *$/],
  ['kernel-core', "read the kernel's memory", 'head -c 16 /proc/kcore | wc -c | grep -v "^0"', /^1( |$)/],
  ['terminal', "type into the host's terminal", 'echo id > /dev/tty', /^[1-9].*No such device or address/s],
];

/** The same by system calls that no program of the base system makes. */
const BY_SYSTEM_CALL: readonly Simple[] = [
  ['kernel-module', 'load a kernel module', systemCall(175, 0, 0, 0), DENIED],
  ['raw-socket', 'forge packets', `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) or die "$!"'`, DENIED],
  ['keyring', "read the kernel's keyring", systemCall(250, 0, -3, 1), DENIED],
  ['bpf', 'load a program into the kernel', systemCall(321, 0, 0, 0), DENIED],
  ['io-uring', 'go around the system call filter', systemCall(425, 1, 0), DENIED],
  ['file-handle', 'open files by handle instead of by path', systemCall(304, 0, 0, 0), DENIED],
];

const OF_THE_HOST: readonly EscapeAttempt[] = [
  {
    name: 'see-process',
    does: 'signal a process of the host',
    user: 'root',
    command: ({ pid }) => `kill -0 ${pid}`,
    refusal: /^1 .*No such process/s,
  },
  {
    name: 'enter-process',
    does: "look into a host process's files",
    user: 'root',
    command: ({ pid }) => `ls /proc/${pid}/root/`,
    refusal: /^2 .*No such file or directory/s,
  },
  {
    name: 'read-environment',
    does: 'read the environment of host processes',
    user: 'root',
    command: ({ secret }) =>
      `cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep "$(printf %s ${halves(secret)})"`,
    refusal: /^1 *$/,
  },
  {
    name: 'read-shadow',
    does: "read the host's password hashes",
    user: 'root',
    // What the sprite's own file says: accounts without any password.
    command: () => `grep -v '^[^:]*:[*!]*:' /etc/shadow`,
    refusal: /^[12] *(grep: .*(Permission denied|No such file).*)?$/s,
  },
  {
    name: 'read-file',
    does: "read a file of the host's /tmp",
    user: 'root',
    command: ({ secretFile }) => `cat '${secretFile}'`,
    refusal: /^1 .*(No such file|Permission denied)/s,
  },
  {
    name: 'setuid',
    does: 'get rights from a setuid program',
    user: 'sprite',
    before: 'cp /bin/sh /tmp/root-sh && chmod 4755 /tmp/root-sh',
    command: () => `[ "$(/tmp/root-sh -p -c 'id -u')" != "$(id -u)" ]`,
    refusal: /^1 *$/,
  },
  {
    name: 'descriptors',
    does: 'find open files of the engine',
    user: 'sprite',
    // The fourth is the directory that ls reads.
    command: () => '[ "$(ls /proc/self/fd | xargs)" != "0 1 2 3" ]',
    refusal: /^1 *$/,
  },
  {
    name: 'loopback',
    does: "reach a service on the host's loopback",
    user: 'sprite',
    needs: 'bash',
    command: ({ port }) => `bash -c 'echo > /dev/tcp/127.0.0.1/${port}'`,
    refusal: /^1 .*Connection refused/s,
  },
  {
    name: 'unix-socket',
    does: 'reach a unix socket of the host',
    user: 'root',
    needs: 'perl',
    command: ({ socketPath }) => connectTo(socketPath),
    refusal: /^[1-9].*No such file/s,
  },
  {
    name: 'abstract-socket',
    does: 'reach an abstract socket of the host',
    user: 'root',
    needs: 'perl',
    command: ({ abstractName }) => connectTo(`\\0${abstractName}`),
    refusal: /^[1-9].*Connection refused/s,
  },
  {
    name: 'interfaces',
    does: 'find a network interface besides loopback',
    user: 'root',
    command: () =>
      `tail -n +3 /proc/net/dev | cut -d: -f1 | grep -vE '^ *(lo|tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$'`,
    refusal: /^1 *$/,
  },
];

/** The last ones: some leave the sprite without room for another command. */
const OF_LIMITS: readonly EscapeAttempt[] = [
  {
    name: 'memory-bomb',
    does: 'take more memory than it may',
    user: 'sprite',
    needs: 'perl',
    limit: 'memory',
    command: () => `perl -e '$x = "a" x (600 * 1024 * 1024); print length $x'`,
    refusal: /^137/,
  },
  {
    name: 'huge-file',
    does: 'fill the disk with one file',
    user: 'sprite',
    command: () => 'trap "" XFSZ; dd if=/dev/zero of=/tmp/big bs=1 count=1 seek=1T',
    refusal: /^[1-9].*File too large/s,
  },
  {
    name: 'fork-bomb',
    does: 'start more processes than it may',
    user: 'sprite',
    limit: 'pids',
    command: () => 'i=0; while [ $i -lt 400 ]; do sleep 600 & i=$((i+1)); done; echo made all',
    refusal: /^2 .*Cannot fork/s,
  },
];

export const ATTEMPTS: readonly EscapeAttempt[] = [
  ...OF_THE_KERNEL.map((simple) => byRoot(simple)),
  ...BY_SYSTEM_CALL.map((simple) => byRoot(simple, 'perl')),
  ...OF_THE_HOST,
  ...OF_LIMITS,
];

function byRoot([name, does, command, refusal]: Simple, needs?: string): EscapeAttempt {
  return { name, does, user: 'root', command: () => command, refusal, needs };
}

/** The searching command must not find itself. */
function halves(secret: string): string {
  const middle = Math.floor(secret.length / 2);
  return `'${secret.slice(0, middle)}''${secret.slice(middle)}'`;
}

function connectTo(address: string): string {
  const connect = `socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, pack_sockaddr_un("${address}")) or die "$!"`;
  return `perl -MSocket -e '${connect}'`;
}
