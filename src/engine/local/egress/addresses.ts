/** Addresses that are not the internet: a name that leads to one of them is refused. */
import { BlockList, isIP } from 'node:net';

/** IANA special-purpose registries (RFC 6890 and its updates), multicast included. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Among them those that carry a v4 address inside: mapped, NAT64, 6to4, Teredo. */
const SPECIAL_V6 = [
  '::/96',
  '::ffff:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

export function publicAddresses(): (address: string) => boolean {
  // Two lists: one list would match each IPv4 address against the IPv6 nets that carry mapped addresses.
  const v4 = blockList(SPECIAL_V4, 'ipv4');
  const v6 = blockList(SPECIAL_V6, 'ipv6');
  return (address) => {
    const version = isIP(address);
    if (version === 4) return !v4.check(address, 'ipv4');
    return version === 6 && !v6.check(address, 'ipv6');
  };
}

function blockList(nets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const net of nets) {
    const [address = '', prefix] = net.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
