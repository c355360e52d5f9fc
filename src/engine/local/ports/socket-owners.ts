/**
 * Which process of a sprite holds a socket: the kernel tells it by the descriptors of each process. Sockets of
 * others (a sprite with an open network shares the host's, and our own relays live in its network) have none.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';

interface Owner {
  readonly hostPid: number;
  /** As the sprite sees it. */
  readonly pid: number;
}

export class SocketOwners {
  readonly #initPid: number;
  /** Null: none of the sprite's, when it was last looked for. */
  readonly #known = new Map<string, Owner | null>();

  constructor(initPid: number) {
    this.#initPid = initPid;
  }

  /** The pid inside for each of the sockets that is the sprite's. */
  find(inodes: readonly string[]): ReadonlyMap<string, number> {
    for (const inode of this.#known.keys()) if (!inodes.includes(inode)) this.#known.delete(inode);
    const isUnsettled = (inode: string): boolean => {
      const owner = this.#known.get(inode);
      return owner === undefined || (owner !== null && !holds(owner.hostPid, inode));
    };
    const wanted = inodes.filter(isUnsettled);
    if (wanted.length > 0) this.#search(wanted);
    const found = inodes.flatMap((inode): [string, number][] => {
      const owner = this.#known.get(inode);
      return owner ? [[inode, owner.pid]] : [];
    });
    return new Map(found);
  }

  #search(inodes: readonly string[]): void {
    for (const inode of inodes) this.#known.set(inode, null);
    const namespace = linkOf(`/proc/${this.#initPid}/ns/pid`);
    if (namespace === null) return;
    for (const name of namesIn('/proc')) {
      if (!/^\d+$/.test(name) || linkOf(`/proc/${name}/ns/pid`) !== namespace) continue;
      const hostPid = Number(name);
      for (const inode of socketsOf(hostPid)) {
        // The first process found keeps it: a parent comes before the workers it handed it to.
        if (this.#known.get(inode) === null) this.#known.set(inode, { hostPid, pid: innerPid(hostPid) });
      }
    }
  }
}

function holds(hostPid: number, inode: string): boolean {
  return socketsOf(hostPid).includes(inode);
}

function socketsOf(hostPid: number): string[] {
  return namesIn(`/proc/${hostPid}/fd`).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${hostPid}/fd/${fd}`) ?? '')?.[1];
    return inode === undefined ? [] : [inode];
  });
}

/** Its pid in the innermost namespace. */
function innerPid(hostPid: number): number {
  const text = readText(`/proc/${hostPid}/status`) ?? '';
  const pids = /^NSpid:\s+(.+)$/m.exec(text)?.[1]?.split(/\s+/) ?? [];
  return Number(pids.at(-1) ?? 0);
}

// What went away while it was looked at holds nothing.
function gone(error: unknown): null {
  if (errnoOf(error) === undefined) throw error;
  return null;
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    return gone(error);
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return gone(error);
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    return gone(error) ?? [];
  }
}
