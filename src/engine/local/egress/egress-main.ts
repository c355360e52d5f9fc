/** What the two processes of `egress-process.ts` do. Working directory: the sprite's `egress` directory. */
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WreckitError } from '../../../errors.ts';
import { identify, isSameProcess } from '../../../process/identity.ts';
import { EGRESS_PORT } from './egress-env.ts';
import { EGRESS_SOCKET } from './egress-process.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { readRules } from './policy-file.ts';
import { createProxy } from './proxy-server.ts';

/** How soon the end of the sprite and a change of its rules are noticed. */
const LOOK_MS = 500;

export interface EgressOptions {
  /** The sprite's PID 1, on the host. */
  readonly initPid: number;
  readonly signal: AbortSignal;
  /** Called once it serves. */
  readonly onReady: () => void;
}

/** Ends with the sprite, or on `signal`. */
export async function runProxy(options: EgressOptions): Promise<void> {
  // `..` is the sprite's directory; only these two processes have it as theirs.
  const rules = () => readRules('..');
  const gate = new Gatekeeper({ rules, logFile: 'verdicts.log' });
  await serveUntilSpriteEnds(createProxy(gate), { path: EGRESS_SOCKET }, options, () => gate.review());
}

/** Carries bytes from the sprite's loopback to the proxy's socket. */
export async function runRelay(options: EgressOptions): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const proxy = connect({ path: EGRESS_SOCKET, allowHalfOpen: true });
    client.on('error', () => proxy.destroy());
    proxy.on('error', () => client.destroy());
    client.pipe(proxy);
    proxy.pipe(client);
  });
  await serveUntilSpriteEnds(server, { host: '127.0.0.1', port: EGRESS_PORT }, options, () => undefined);
}

async function serveUntilSpriteEnds(
  server: Server,
  where: { path: string } | { host: string; port: number },
  { initPid, signal, onReady }: EgressOptions,
  look: () => void,
): Promise<void> {
  const init = identify(initPid);
  if (init === null) throw new WreckitError('SPRITE_BUSY', 'network filter: the sprite is not up');
  await listen(server, where);
  onReady();
  while (isSameProcess(init) && !signal.aborted) {
    look();
    await sleep(LOOK_MS);
  }
  server.close();
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
