/**
 * The dialer of a sprite: a host process that shares nothing with the sprite but its network. For each
 * connection to its unix socket it makes one to where the first line says, then carries bytes both ways. It ends
 * with whoever started it (its stdin), and with the sprite.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WreckitError } from '../../../errors.ts';
import { identify, isSameProcess } from '../../../process/identity.ts';
import { dial } from './dial.ts';
import { type DialAnswer, type DialRequest, readLine } from './dialer-protocol.ts';

const LOOK_MS = 500;

export interface DialerOptions {
  /** The sprite's PID 1, on the host. */
  readonly initPid: number;
  /** A name in the working directory. */
  readonly socketName: string;
  readonly signal: AbortSignal;
  readonly onReady: () => void;
}

export async function runDialer({ initPid, socketName, signal, onReady }: DialerOptions): Promise<void> {
  const init = identify(initPid);
  if (init === null) throw new WreckitError('SPRITE_BUSY', 'ports: the sprite is not up');
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    client.on('error', () => client.destroy());
    void serveClient(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketName, resolve);
  });
  let isAlone = false;
  process.stdin.once('end', () => {
    isAlone = true;
  });
  process.stdin.resume();
  onReady();
  while (!isAlone && !signal.aborted && isSameProcess(init)) await sleep(LOOK_MS);
  server.close();
  for (const client of clients) client.destroy();
}

async function serveClient(client: Socket): Promise<void> {
  const line = await readLine(client);
  if (line === null) return void client.destroy();
  const { host, port } = JSON.parse(line) as DialRequest;
  const answer = (errno: string | null): string => `${JSON.stringify({ errno } satisfies DialAnswer)}\n`;
  try {
    const server = await dial({ host, port }, connect);
    client.write(answer(null));
    carry(client, server);
  } catch (thrown) {
    client.end(answer(thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'EIO'));
  }
}

function carry(client: Socket, server: Socket): void {
  client.pipe(server);
  server.pipe(client);
  // A reset of one side is passed on as one: an end of file would say that everything came.
  client.once('close', (hadError) => (hadError ? server.resetAndDestroy() : undefined));
  server.on('error', () => client.destroy(new Error('connection lost')));
  client.once('close', () => server.destroySoon());
}
