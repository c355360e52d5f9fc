import type { connect, Socket } from 'node:net';
import type { PortTarget } from '../../ports.ts';

const CONNECT_TIMEOUT_MS = 8_000;
/** Programs listen on either; one that listens on both answers the first. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** From the network of this process. Rejects with the system's error, `ETIMEDOUT` when nobody answers. */
export async function dial({ host, port }: PortTarget, open: typeof connect): Promise<Socket> {
  let failure: unknown;
  for (const address of host === 'localhost' ? LOOPBACK : [host]) {
    try {
      return await dialOne(address, port, open);
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}

function dialOne(host: string, port: number, open: typeof connect): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open({ host, port, allowHalfOpen: true, noDelay: true });
    const late = (): void => {
      socket.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, late);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('timeout', late);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
