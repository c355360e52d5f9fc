/**
 * Whether a program of a sprite is connected to the outside: then it waits for an answer, or for somebody, though
 * it neither computes nor writes. Asked of the kernel's tables; nothing of the sprite is run for it.
 */
import { readIfThere } from '../../../process/proc-stat.ts';
import { EGRESS_PORT } from '../egress/egress-env.ts';
import { type ConnectedSocket, parseConnected } from '../ports/proc-net.ts';
import { SocketOwners } from '../ports/socket-owners.ts';
import type { SpriteRecord } from '../record.ts';

export class Connections {
  #owners: SocketOwners | undefined;

  isOutside({ network }: Pick<SpriteRecord, 'network'>, initPid: number): boolean {
    switch (network) {
      case 'none':
        return false;
      case 'filtered':
        // The one way out is a port of its own loopback.
        return connected(initPid).some(({ remotePort }) => remotePort === EGRESS_PORT);
      case 'open': {
        // Its network is the host's: most of what is connected there is not the sprite's.
        const inodes = connected(initPid)
          .filter(({ remoteAddress }) => !isLoopback(remoteAddress))
          .map(({ inode }) => inode);
        this.#owners ??= new SocketOwners(initPid);
        return this.#owners.find(inodes).size > 0;
      }
    }
  }
}

function connected(initPid: number): ConnectedSocket[] {
  return ['tcp', 'tcp6'].flatMap((table) =>
    parseConnected(readIfThere(`/proc/${initPid}/net/${table}`) ?? ''),
  );
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
