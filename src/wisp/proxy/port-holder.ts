/** Who listens on a port of this machine, as far as we may see. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { parseProcNet } from '../../engine/local/ports/proc-net.ts';
import { errnoOf } from '../../errors.ts';

export interface PortHolder {
  readonly pid: number;
  readonly program: string;
}

/** Null: nobody we can see. */
export function holderOf(port: number): PortHolder | null {
  const sockets = ['tcp', 'tcp6'].flatMap((table) =>
    parseProcNet(tried(() => read(`/proc/net/${table}`), '')),
  );
  const wanted = new Set(
    sockets.filter((socket) => socket.port === port).map(({ inode }) => `socket:[${inode}]`),
  );
  if (wanted.size === 0) return null;
  for (const pid of tried(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name))) {
    const dir = `/proc/${pid}/fd`;
    const links = tried(() => readdirSync(dir), []).map((fd) =>
      tried(() => readlinkSync(`${dir}/${fd}`), ''),
    );
    if (!links.some((link) => wanted.has(link))) continue;
    return { pid: Number(pid), program: tried(() => read(`/proc/${pid}/comm`).trim(), '') || 'a program' };
  }
  return null;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** Processes come and go while they are looked at, and some are not ours to look into. */
function tried<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return otherwise;
  }
}
