/** What of the host can be read inside: nothing that an ordinary user of it could not read. */
import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testAsRoot } from '../helpers/as-root.ts';
import { localSprite } from '../helpers/local-sprite.ts';

const MARK = `wisp-canary-${process.pid}`;
const SECRET = `secret-of-${MARK}`;

/** Made as root in each kind of place; `mode` of the file, and of a directory of its own around it. */
const PLACES: readonly { readonly path: string; readonly mode: number; readonly dirMode: number }[] = [
  { path: `/etc/${MARK}`, mode: 0o600, dirMode: 0o755 },
  { path: `/etc/${MARK}-group`, mode: 0o640, dirMode: 0o755 },
  { path: `/etc/${MARK}-dir/${MARK}`, mode: 0o644, dirMode: 0o700 },
  { path: `/opt/${MARK}`, mode: 0o400, dirMode: 0o755 },
  { path: `/opt/${MARK}-dir/deep/${MARK}`, mode: 0o644, dirMode: 0o750 },
  { path: `/usr/local/share/${MARK}`, mode: 0o600, dirMode: 0o755 },
  { path: `/usr/lib/${MARK}`, mode: 0o600, dirMode: 0o755 },
  { path: `/var/lib/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/var/lib/dpkg/${MARK}`, mode: 0o600, dirMode: 0o755 },
  { path: `/var/log/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/root/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/home/${MARK}/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/srv/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/mnt/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/tmp/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/run/${MARK}`, mode: 0o644, dirMode: 0o755 },
  { path: `/dev/shm/${MARK}`, mode: 0o644, dirMode: 0o755 },
];
/** Anybody may read this one: it shows that the walk below would have found the others. */
const PUBLIC = `/opt/${MARK}-public`;

function plant(places: typeof PLACES): void {
  for (const { path, mode, dirMode } of places) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, SECRET);
    chmodSync(path, mode);
    if (dirname(path).includes(MARK)) chmodSync(top(path), dirMode);
  }
}

/** The uppermost directory of ours above `path`. */
function top(path: string): string {
  const parts = path.split('/');
  return parts.slice(0, parts.findIndex((part) => part.includes(MARK)) + 1).join('/');
}

async function walk(sprite: Awaited<ReturnType<typeof localSprite>>): Promise<string> {
  const find = `find / -path /proc -prune -o -path /sys -prune -o -name '*${MARK}*' -print 2>/dev/null`;
  const command = `${find} | while read -r path; do [ -f "$path" ] && echo "$path: $(cat "$path" 2>&1)"; done; true`;
  const { stdout } = await sprite.exec(command, { user: 'root' });
  return stdout;
}

// Planting takes root. An ordinary user's sprite is tried with that user's own files below.
testAsRoot("a sprite, its root too, reads nothing of the host that is not everybody's", async () => {
  try {
    plant(PLACES);
    writeFileSync(PUBLIC, 'for everybody');
    await using sprite = await localSprite();
    const found = await walk(sprite);
    expect(found).toContain(`${PUBLIC}: for everybody`);
    expect(found).not.toContain(SECRET);
  } finally {
    for (const { path } of PLACES) rmSync(top(path), { recursive: true, force: true });
    rmSync(PUBLIC, { force: true });
  }
});

testAsRoot('a secret that comes to the host while the sprite runs stays closed too', async () => {
  const path = `/etc/${MARK}-late`;
  try {
    await using sprite = await localSprite();
    plant([{ path, mode: 0o600, dirMode: 0o755 }]);
    const { exitCode, stdout, stderr } = await sprite.exec(['cat', path], { user: 'root' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('Permission denied');
  } finally {
    rmSync(path, { force: true });
  }
});

testAsRoot(
  "a sprite's root reads nothing of /proc and /sys that the kernel keeps for the host's",
  async () => {
    await using sprite = await localSprite();
    // Of these a read changes the machine: that they are not there at all is asked for below.
    const findKept = `find /proc /sys -path '/proc/[0-9]*' -prune -o -path /proc/self -prune -o -type f -perm -u+r \\
    ! -perm -o+r ! -name 'hot_*' -print 2>/dev/null`;
    const readIt = '[ -n "$(timeout 1 head -c 1 "$path" 2>/dev/null | tr "\\0" 0)" ] && echo "$path"';
    const { stdout } = await sprite.exec(`${findKept} | while read -r path; do ${readIt}; done; true`, {
      user: 'root',
    });
    expect(stdout).toBe('');
    const { stdout: devices } = await sprite.exec('ls /sys/class/zram-control 2>/dev/null; true', {
      user: 'root',
    });
    expect(devices).toBe('');
  },
);

test('the password hashes, environment and home of the host are not in a sprite', async () => {
  process.env.WISP_CANARY_ENVIRONMENT = SECRET;
  try {
    await using sprite = await localSprite();
    const { stdout: shadow } = await sprite.exec(['cat', '/etc/shadow'], { user: 'root' });
    expect(shadow.split('\n').filter((line) => line !== '' && !/^[^:]*:\*:/.test(line))).toEqual([]);
    const { stdout: env } = await sprite.exec('env; cat /proc/*/environ 2>/dev/null');
    expect(env).not.toContain(SECRET);
    const { stdout: homes } = await sprite.exec('ls -A /home /root', { user: 'root' });
    expect(homes.split(/\s+/).filter((word) => word.startsWith('/') === false && word !== '')).toEqual([
      'sprite',
    ]);
  } finally {
    delete process.env.WISP_CANARY_ENVIRONMENT;
  }
});

test('what a sprite writes to system directories stays in it', async () => {
  await using sprite = await localSprite();
  const { exitCode } = await sprite.exec(`echo mine > /etc/${MARK}-written && echo "# mine" >> /etc/hosts`, {
    user: 'root',
  });
  expect(exitCode).toBe(0);
  expect(() => readFileSync(join('/etc', `${MARK}-written`))).toThrow('ENOENT');
  expect(readFileSync('/etc/hosts', 'utf8')).not.toContain('# mine');
});
