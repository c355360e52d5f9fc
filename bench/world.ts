/**
 * Where the benchmark works: a home, a state directory and a project of its own, and beside the sprites a raw
 * container: what the OCI runtime alone makes of the same bundle, without our programs and without the guard.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.ts';
import { type Command, call } from './measure.ts';

interface BundleConfig {
  root: { path: string };
  mounts: { destination: string; type: string; options?: string[] | undefined }[];
  linux: { cgroupsPath?: string };
}

export class World {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'wreckit-bench-')));
  readonly env: Readonly<Record<string, string>>;
  readonly runtime: string;
  /** A configuration that allows more sprites than the default. */
  readonly manyConfig: string;
  #rawCount = 0;
  readonly #siblings: World[] = [];

  constructor() {
    for (const name of ['home', 'plain', 'raw-state']) mkdirSync(join(this.dir, name), { mode: 0o700 });
    this.manyConfig = join(this.dir, 'many.json');
    writeFileSync(this.manyConfig, JSON.stringify({ agent: { kind: 'sprite', maxVMs: 1000 } }));
    // The environment of whoever runs it: what slows Node down there (NODE_EXTRA_CA_CERTS, say) is part of it.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(XDG_|WISP_|WRECKIT_|npm_)/.test(name),
    );
    this.env = {
      ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])),
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: join(this.dir, 'home'),
      WISP_HOME: join(this.dir, 'state'),
    };
    this.runtime = ['runc', 'crun'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'runc';
  }

  wreckit(...args: string[]): Command {
    return {
      argv: [join(packageRoot(), 'bin', 'wreckit'), ...args],
      cwd: join(this.dir, 'plain'),
      env: this.env,
    };
  }

  node(...args: string[]): Command {
    return { argv: [process.execPath, ...args], env: this.env };
  }

  raw(...args: string[]): Command {
    return { argv: [this.runtime, '--root', join(this.dir, 'raw-state'), ...args], env: this.env };
  }

  /** Another world with sprites of its own; closed with this one at the latest. */
  sibling(): World {
    const world = new World();
    this.#siblings.push(world);
    return world;
  }

  /** A bundle as that of the sprite named, with directories of its own and the host's own as lowers. Returns its path. */
  rawBundle(name: string): string {
    const sprite = join(this.dir, 'state', 'sprites', name);
    this.#rawCount += 1;
    const bundle = join(this.dir, `raw-${this.#rawCount}`);
    cpSync(join(sprite, 'disk'), join(bundle, 'disk'), { recursive: true, verbatimSymlinks: true });
    const config = JSON.parse(readFileSync(join(sprite, 'bundle', 'config.json'), 'utf8')) as BundleConfig;
    const moved = (path: string): string => path.replaceAll(join(sprite, 'disk'), join(bundle, 'disk'));
    config.root.path = moved(config.root.path);
    if (config.linux.cgroupsPath) config.linux.cgroupsPath = `/wisp-bench-${process.pid}-${this.#rawCount}`;
    for (const mount of config.mounts.filter(({ type }) => type === 'overlay')) {
      mount.options = mount.options?.map((option) =>
        option.startsWith('lowerdir=') ? `lowerdir=${mount.destination}` : moved(option),
      );
    }
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    return bundle;
  }

  /** Processes of the sprite named, by the mount namespace of its first process. */
  spriteProcesses(name: string): number[] {
    const pidFile = join(this.dir, 'state', 'sprites', name, 'bundle', 'init.pid');
    const wanted = mountNamespace(readFileSync(pidFile, 'utf8').trim());
    if (wanted === null) return [];
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
    return pids.filter((pid) => mountNamespace(pid) === wanted).map(Number);
  }

  /** Everything that was started here, gone. */
  close(): void {
    for (const world of this.#siblings) world.close();
    const names = (dir: string): string[] => {
      const path = join(this.dir, dir);
      return existsSync(path) ? readdirSync(path) : [];
    };
    const sprites = names('state/sprites');
    if (sprites.length > 0) call(this.wreckit('sprite', 'kill', ...sprites));
    for (const id of names('raw-state')) call(this.raw('delete', '--force', id));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** null: it ended meanwhile. */
function mountNamespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null;
  }
}
