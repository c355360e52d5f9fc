import { expect, test } from 'bun:test';
import { toWreckitError } from '../../errors.ts';
import { testAsRoot } from '../helpers/as-root.ts';
import { localSprite } from '../helpers/local-sprite.ts';

const MIB = 1024 ** 2;
const code = async (action: Promise<unknown>): Promise<string | null> =>
  await action.then(
    () => null,
    (error: unknown) => toWreckitError(error).code,
  );

testAsRoot(
  'resources: other limits are in force at once, for what runs too, and after the next start',
  async () => {
    await using sprite = await localSprite({ memoryBytes: 256 * MIB, pids: 200 });
    const { engine } = sprite;
    const resources = engine.policy.resources;
    const eat = `head -c ${150 * MIB} /dev/zero | tail`;
    expect((await sprite.exec(`${eat} | wc -c`)).stdout).toContain(String(150 * MIB));
    await resources?.set('demo', { memory: { limitMb: 64, autoscale: false }, cpus: 0.5 });
    expect(await resources?.get('demo')).toEqual({
      memory: { limitMb: 64, autoscale: false },
      cpus: 0.5,
      pids: 200,
    });
    const forks = 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo all';
    const hasEnough = async (): Promise<boolean> =>
      (await sprite.exec(`${eat} | wc -c`)).stdout.includes(String(150 * MIB));
    expect(await hasEnough()).toBe(false);
    await engine.stop('demo');
    await engine.wake('demo');
    expect(await hasEnough()).toBe(false);
    expect((await engine.info('demo')).resources).toEqual({ memory_bytes: 64 * MIB, cpus: 0.5, pids: 200 });

    await resources?.set('demo', { memory: { limitMb: 256, autoscale: false }, cpus: null, pids: 30 });
    expect(await hasEnough()).toBe(true);
    expect((await sprite.exec(forks)).stdout).not.toContain('all');
    await resources?.reset('demo');
    const { cpus, pids } = (await engine.info('demo')).resources;
    expect({ cpus, pids }).toEqual({ cpus: null, pids: 2048 });
    expect((await sprite.exec(forks)).stdout).toContain('all');
  },
  60_000,
);

testAsRoot(
  'resources: what makes no sense, or is in use, is refused and changes nothing',
  async () => {
    await using sprite = await localSprite({ memoryBytes: 256 * MIB });
    const resources = sprite.engine.policy.resources;
    const set = async (limitMb: number | null, more = {}): Promise<string | null> =>
      await code(
        resources?.set('demo', { memory: { limitMb, autoscale: false }, ...more }) ?? Promise.resolve(),
      );
    expect(await set(1)).toBe('USAGE');
    expect(await set(256, { cpus: 5000 })).toBe('USAGE');
    expect(await set(256, { pids: 3 })).toBe('USAGE');
    const autoscale = resources?.set('demo', { memory: { limitMb: 256, autoscale: true } });
    expect(await code(autoscale ?? Promise.resolve())).toBe('UNSUPPORTED');
    const missing = resources?.get('nosuch');
    expect(await code(missing ?? Promise.resolve())).toBe('SPRITE_NOT_FOUND');
    // Memory that nothing can be dropped from.
    await using session = await sprite.engine.openSession('demo', {
      command: ['/bin/sh', '-c', `head -c ${120 * MIB} /dev/zero >/dev/shm/held; echo held; sleep 1000`],
    });
    for await (const { bytes } of session.output({ follow: true })) {
      if (Buffer.from(bytes).includes('held')) break;
    }
    expect(await set(32)).toBe('CONFLICT');
    expect((await sprite.engine.info('demo')).resources.memory_bytes).toBe(256 * MIB);
    expect((await sprite.exec('echo alive')).stdout).toBe('alive\n');
  },
  60_000,
);

test('privileges: minimal takes the capabilities of root, what leads out is refused', async () => {
  await using sprite = await localSprite();
  const { engine } = sprite;
  const privileges = engine.policy.privileges;
  const set = async (policy: object): Promise<string | null> =>
    await code(privileges?.set('demo', { profile: '', devices: [], ...policy }) ?? Promise.resolve());
  const asRoot = 'grep CapBnd /proc/self/status; touch /home/x && chown 1 /home/x && echo can';
  expect((await sprite.exec('grep CapBnd /proc/self/status', { user: 'root' })).stdout).not.toMatch(
    /:\t0+\n/,
  );
  expect(await privileges?.get('demo')).toEqual({ profile: 'standard', devices: [], noNewPrivileges: true });
  for (const refused of [{ profile: 'privileged' }, { devices: ['/dev/kvm'] }, { noNewPrivileges: false }]) {
    expect(await set(refused)).toBe('UNSUPPORTED');
  }
  {
    await using session = await engine.openSession('demo', { command: ['sleep', '1000'], user: 'root' });
    expect(await set({ profile: 'minimal' })).toBe('CONFLICT');
    expect((await privileges?.get('demo'))?.profile).toBe('standard');
    await engine.killSession('demo', session.id);
  }
  expect(await set({ profile: 'minimal' })).toBeNull();
  const { stdout } = await sprite.exec(asRoot, { user: 'root' });
  expect(stdout).toMatch(/^CapBnd:\t0+\n/);
  expect(stdout).not.toContain('can');
  await engine.start({ name: 'copy', from: 'demo' });
  expect((await privileges?.get('copy'))?.profile).toBe('minimal');
  await privileges?.reset('demo');
  expect((await sprite.exec('grep CapBnd /proc/self/status', { user: 'root' })).stdout).not.toMatch(
    /:\t0+\n/,
  );
});
