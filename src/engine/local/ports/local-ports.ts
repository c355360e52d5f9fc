/**
 * Ports of local sprites. What listens is read from the kernel's tables, on the host; connections are made by a
 * process of ours in the sprite's network. Nothing of the sprite is run for either.
 */

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, WreckitError } from '../../../errors.ts';
import { orAborted } from '../../../process/abort.ts';
import type { Waiting } from '../../engine.ts';
import type { ListeningPort, PortOps, PortTarget } from '../../ports.ts';
import type { RunningSprite } from '../inside.ts';
import { dial } from './dial.ts';
import { type Dialer, startDialer } from './dialer-process.ts';
import { NO_SOCKETS, parseProcNet, parseSockstat } from './proc-net.ts';
import { SocketOwners } from './socket-owners.ts';

const LOOK_MS = 400;
/** What a service takes to listen after a boot, generously; clients of the API wait ten seconds. */
const COME_UP_MS = 6_000;
const COME_UP_LOOK_MS = 100;
/** A table is read this often at least: as many sockets as before need not be the same ones. */
const LOOKS_PER_READING = 2;

export interface LocalPortsOptions {
  readonly rootless: boolean;
  /** The host pid of the sprite's PID 1; null: it is down. Throws `SPRITE_NOT_FOUND`. */
  readonly initPidOf: (name: string) => number | null;
  /** True: its network is the host's. Throws `SPRITE_NOT_FOUND`. */
  readonly sharesNetwork: (name: string) => boolean;
  /** Keeps it awake. Taken before it is woken. */
  readonly hold: (name: string) => Disposable;
  readonly awake: (name: string, waiting: Waiting) => Promise<RunningSprite>;
}

export class LocalPorts implements PortOps {
  readonly #options: LocalPortsOptions;
  /** By the sprite's PID 1. */
  readonly #dialers = new Map<number, Promise<Dialer>>();

  constructor(options: LocalPortsOptions) {
    this.#options = options;
  }

  list(name: string): Promise<readonly ListeningPort[]> {
    const pid = this.#options.initPidOf(name);
    return Promise.resolve(pid === null ? [] : listeningPorts(pid, new SocketOwners(pid)));
  }

  async *watch(
    name: string,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ListeningPort[]> {
    let seen: string | null = null;
    let looker = new PortLooker(null);
    while (!signal.aborted) {
      const pid = this.#options.initPidOf(name);
      if (pid !== looker.initPid) looker = new PortLooker(pid);
      const ports = looker.look();
      const facts = JSON.stringify(ports);
      if (facts !== seen) yield ports;
      seen = facts;
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async connect(name: string, target: PortTarget, { signal }: Waiting = {}): Promise<Duplex> {
    assertTarget(target);
    const hold = this.#options.hold(name);
    const socket = await this.#open(name, target, signal).catch((thrown: unknown) => {
      hold[Symbol.dispose]();
      throw thrown;
    });
    if (typeof socket !== 'string') {
      // A tunnel keeps its sprite awake.
      socket.once('close', () => hold[Symbol.dispose]());
      return socket;
    }
    hold[Symbol.dispose]();
    throw new WreckitError(
      'CONFLICT',
      `connect to ${target.host}:${target.port}: ${SAYS[socket] ?? socket}`,
      {
        hint: 'see what listens: wisp ports NAME',
        details: { errno: socket },
        retryable: true,
      },
    );
  }

  /** The errno when it can't be reached. Programs of a sprite that had to be booted get time to come up. */
  async #open(name: string, target: PortTarget, signal: AbortSignal | undefined): Promise<Socket | string> {
    const wasDown = this.#options.initPidOf(name) === null;
    const sprite = await this.#options.awake(name, { signal });
    const deadline = performance.now() + (wasDown ? COME_UP_MS : 0);
    for (;;) {
      const connecting = this.#options.sharesNetwork(name)
        ? dial(target, connect).catch((thrown: unknown) => errnoOf(thrown) ?? Promise.reject(thrown))
        : (await this.#dialer(sprite)).connect(target);
      const socket = await abortable(connecting, signal);
      if (socket !== 'ECONNREFUSED' || performance.now() >= deadline) return socket;
      await sleep(COME_UP_LOOK_MS, undefined, { signal });
    }
  }

  async #dialer(sprite: RunningSprite): Promise<Dialer> {
    const known = this.#dialers.get(sprite.initPid);
    const living = await known?.catch(() => null);
    if (living?.isAlive) return living;
    if (this.#dialers.get(sprite.initPid) === known) {
      this.#dialers.set(sprite.initPid, startDialer(sprite, this.#options.rootless));
    }
    return await (this.#dialers.get(sprite.initPid) ?? startDialer(sprite, this.#options.rootless));
  }
}

const SAYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name cannot be looked up',
  ETIMEDOUT: 'no answer in time',
  ENETUNREACH: 'the sprite has no network that leads there',
  EHOSTUNREACH: 'the address cannot be reached',
  ECONNRESET: 'the connection was lost',
};

const MAX_PORT = 65_535;

/** Throws `USAGE`. */
function assertTarget({ host, port }: PortTarget): void {
  if (Number.isInteger(port) && port >= 1 && port <= MAX_PORT && /^[A-Za-z0-9.:_%-]{1,255}$/.test(host))
    return;
  throw new WreckitError('USAGE', `connect: ${JSON.stringify(`${host}:${port}`)} is not a host and port`);
}

/** Whoever gives up leaves no connection behind. */
async function abortable(
  connecting: Promise<Socket | string>,
  signal: AbortSignal | undefined,
): Promise<Socket | string> {
  try {
    return await orAborted(connecting, signal);
  } catch (thrown) {
    connecting
      .then((socket) => (typeof socket === 'string' ? undefined : socket.destroy()))
      .catch(() => undefined);
    throw thrown;
  }
}

/** Looks again and again. The tables are large to read, the number of sockets is not. */
class PortLooker {
  /** Null: the sprite is down. */
  readonly initPid: number | null;
  readonly #owners: SocketOwners | null;
  #ports: readonly ListeningPort[] = [];
  #count = NO_SOCKETS;
  #looks = 0;

  constructor(initPid: number | null) {
    this.initPid = initPid;
    this.#owners = initPid === null ? null : new SocketOwners(initPid);
  }

  look(): readonly ListeningPort[] {
    if (this.initPid === null || this.#owners === null) return [];
    const count = socketCount(this.initPid);
    this.#looks += 1;
    const isSame = count === this.#count && (count === NO_SOCKETS || this.#looks < LOOKS_PER_READING);
    if (isSame) return this.#ports;
    this.#count = count;
    this.#looks = 0;
    this.#ports = listeningPorts(this.initPid, this.#owners);
    return this.#ports;
  }
}

function socketCount(initPid: number): string {
  const net = `/proc/${initPid}/net`;
  return parseSockstat(readTable(`${net}/sockstat`), readTable(`${net}/sockstat6`));
}

function listeningPorts(initPid: number, owners: SocketOwners): ListeningPort[] {
  const sockets = ['tcp', 'tcp6'].flatMap((file) => parseProcNet(readTable(`/proc/${initPid}/net/${file}`)));
  const pids = owners.find(sockets.map(({ inode }) => inode));
  return sockets
    .flatMap(({ port, address, inode }) => {
      const pid = pids.get(inode);
      return pid === undefined ? [] : [{ port, address, pid }];
    })
    .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
}

/** The sprite may go down while it is looked at; a kernel without IPv6 has no second table. */
function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
