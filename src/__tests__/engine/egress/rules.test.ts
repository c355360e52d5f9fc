import { describe, expect, test } from 'bun:test';
import { publicAddresses } from '../../../engine/local/egress/addresses.ts';
import { checkDomain, judge, normaliseName } from '../../../engine/local/egress/rules.ts';
import type { NetworkRule } from '../../../engine/policy.ts';

const allow = (domain: string): NetworkRule => ({ domain, action: 'allow' });
const deny = (domain: string): NetworkRule => ({ domain, action: 'deny' });

describe('judge()', () => {
  test.each<[string, NetworkRule[], string, boolean]>([
    ['no rule: denied', [], 'example.com', false],
    ['exact name', [allow('example.com')], 'example.com', true],
    ['a name is not its subdomains', [allow('example.com')], 'www.example.com', false],
    ['a wildcard is every subdomain', [allow('*.example.com')], 'a.b.example.com', true],
    ['a wildcard is not the name itself', [allow('*.example.com')], 'example.com', false],
    ['a wildcard ends at a label', [allow('*.example.com')], 'badexample.com', false],
    ['exact beats wildcard', [deny('evil.example.com'), allow('*.example.com')], 'evil.example.com', false],
    [
      'the longer wildcard wins',
      [allow('*.example.com'), deny('*.evil.example.com')],
      'a.evil.example.com',
      false,
    ],
    ['wildcard beats star', [allow('*'), deny('*.example.com')], 'a.example.com', false],
    ['star is everything', [allow('*')], 'anything.test', true],
    ['a later rule for one domain wins', [allow('example.com'), deny('example.com')], 'example.com', false],
    ['the preset', [{ include: 'defaults' }], 'registry.npmjs.org', true],
    ['a denial takes from the preset', [{ include: 'defaults' }, deny('github.com')], 'github.com', false],
  ])('%s', (_what, rules, name, isAllowed) => {
    expect(judge(rules, name).isAllowed).toBe(isAllowed);
  });
});

describe('normaliseName()', () => {
  test.each([
    ['Example.COM.', 'example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['127.0.0.1', null],
    ['2130706433', null],
    ['0x7f000001', null],
    ['127.1', null],
    ['[::1]', null],
    ['::1', null],
    ['a b', null],
    ['a\0b', null],
    ['a..b', null],
    ['-a.b', null],
    ['', null],
    ['a@b', null],
    ['bücher.example', null],
    [`${'a'.repeat(64)}.com`, null],
    [`${'a.'.repeat(130)}com`, null],
  ])('%p → %p', (host, name) => {
    expect(normaliseName(host)).toBe(name);
  });
});

test('checkDomain() takes names and wildcards, no addresses, URLs or patterns', () => {
  expect(['*', '*.Example.com', 'a.b'].map(checkDomain)).toEqual(['*', '*.example.com', 'a.b']);
  for (const bad of ['', '10.0.0.1', 'https://a.b', 'a.b:443', '*.*.com', 'a*.com', 'a.b/c', '**']) {
    expect(() => checkDomain(bad)).toThrow('is not a domain');
  }
});

test('publicAddresses() knows the internet from everything else', () => {
  const isPublic = publicAddresses();
  for (const address of ['93.184.216.34', '8.8.8.8', '2606:4700::1111'])
    expect([address, isPublic(address)]).toEqual([address, true]);
  const special = [
    ...[
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
    ],
    ...[
      '224.0.0.1',
      '255.255.255.255',
      '198.18.0.1',
      '::',
      '::1',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      '::ffff:10.0.0.1',
    ],
    ...['::ffff:8.8.8.8', '64:ff9b::a00:1', '2002:a00:1::', 'ff02::1', 'not an address', ''],
  ];
  for (const address of special) expect([address, isPublic(address)]).toEqual([address, false]);
});
