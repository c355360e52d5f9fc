/**
 * The ways in: a unix socket that only this user can open, and TCP.
 *
 * The socket is made in a private directory beside its place, closed to others, then renamed: at no moment can
 * somebody else connect, and what a dead server left there is replaced. Whose place it is, a lock says.
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { assertSocketPath, ensureSocketDir } from './socket-dir.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `localhost:0`, `[::1]:8080`. Throws `USAGE`. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new WreckitError('USAGE', `${quote(text)} is not an address such as "127.0.0.1:8080"`);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The caller holds the lock of the path. Throws `USAGE`, `ENGINE_UNAVAILABLE`. */
export async function listenOnSocket(server: Server, path: string): Promise<Disposable> {
  const staging = mkdtempSync(join(ensureSocketDir(path), '.s'));
  try {
    const staged = join(staging, 's');
    assertSocketPath(staged);
    await listening(server, () => server.listen(staged));
    chmodSync(staged, 0o600);
    renameSync(staged, path);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const { ino } = lstatSync(path);
  return {
    [Symbol.dispose]: () => {
      // Somebody may have put another in its place.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
    },
  };
}

/** Returns the port it got. Throws `CONFLICT` when the port is taken. */
export async function listenOnTcp(server: Server, { host, port }: ListenAddress): Promise<number> {
  await listening(server, () => server.listen({ host, port }));
  return (server.address() as AddressInfo).port;
}

async function listening(server: Server, listen: () => void): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve();
      });
      listen();
    });
  } catch (cause) {
    const errno = errnoOf(cause) ?? String(cause);
    const code = errno === 'EADDRINUSE' ? 'CONFLICT' : 'ENGINE_UNAVAILABLE';
    throw new WreckitError(code, `listen: the address can't be used: ${errno}`, { cause });
  }
}
