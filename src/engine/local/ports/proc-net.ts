/** TCP sockets, as the kernel lists them in /proc/PID/net/tcp and tcp6. */

export interface ListeningSocket {
  readonly port: number;
  readonly address: string;
  readonly inode: string;
}

/** A connection, seen from one of its ends. */
export interface ConnectedSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly inode: string;
}

const LISTEN = '0A';
const ESTABLISHED = '01';

/** Those that listen, of one of the two files. */
export function parseProcNet(text: string): ListeningSocket[] {
  return socketsIn(text, LISTEN).map(({ local, inode }) => ({ ...endpointOf(local), inode }));
}

/** Those that are connected, of one of the two files. */
export function parseConnected(text: string): ConnectedSocket[] {
  return socketsIn(text, ESTABLISHED).map(({ remote, inode }) => {
    const { address: remoteAddress, port: remotePort } = endpointOf(remote);
    return { remoteAddress, remotePort, inode };
  });
}

function socketsIn(text: string, wanted: string): { local: string; remote: string; inode: string }[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
      return state !== wanted || inode === '' ? [] : [{ local, remote, inode }];
    });
}

function endpointOf(text: string): { address: string; port: number } {
  const [address = '', port = ''] = text.split(':');
  return { port: Number.parseInt(port, 16), address: addressOf(address) };
}

/** The kernel prints each 32 bits of an address as one number in the machine's own byte order. */
function addressOf(hex: string): string {
  const bytes = hexWords(hex).flatMap((word) => [...word].reverse());
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? bytes.slice(12).join('.') : ipv6Text(bytes);
}

function hexWords(hex: string): Buffer[] {
  return (hex.match(/.{8}/g) ?? []).map((word) => Buffer.from(word, 'hex'));
}

/** In its short form: the longest run of zero groups is `::`. */
function ipv6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const runs = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return groups.join(':');
  const text = groups.join(':');
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** What `parseSockstat` says where there are none. */
export const NO_SOCKETS = '0 0';

/**
 * How many TCP sockets a network has (of IPv4, of IPv6), listening or not, as text that changes with them, from
 * /proc/PID/net/sockstat and sockstat6. A kernel without IPv6 has no second file, a process that is gone none.
 */
export function parseSockstat(ipv4: string, ipv6: string): string {
  const inUse = (text: string): string => /^TCP6?: inuse (\d+)/m.exec(text)?.[1] ?? '?';
  return `${inUse(ipv4)} ${ipv6 === '' ? 0 : inUse(ipv6)}`;
}
