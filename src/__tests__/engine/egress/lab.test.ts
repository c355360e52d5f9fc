/** A real filtered sprite against a small internet in namespaces of its own. Making those takes root. */
import { beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { run } from '../../../process/run.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import { describeAsRoot } from '../../helpers/as-root.ts';

const LAB = join(import.meta.dirname, '../../../../fixtures/egress-lab/lab.ts');
let outcomes: Record<string, string> = {};

describeAsRoot('a sprite with network "filtered"', () => {
  beforeAll(async () => {
    const argv = ['unshare', '--net', '--mount', '--propagation', 'private', process.execPath, LAB];
    const result = await run(argv, { timeoutMs: 150_000 });
    if (result.failed) throw new Error(decodeUtf8(result.stderr));
    outcomes = JSON.parse(decodeUtf8(result.stdout).trim().split('\n').at(-1) ?? '');
  }, 160_000);

  test.each([
    ['allowed', /^0 hello from allowed\.test$/],
    ['wildcard', /^0 hello from a\.wild\.test$/],
    ['plain http', /^0 hello from allowed\.test$/],
    ['socks', /^0 hello from allowed\.test$/],
    ['live change allows', /^0 hello from denied\.test$/],
    ['filter killed, then healed', /^0 hello from denied\.test$/],
  ])('gets through: %s', (what, outcome) => {
    expect(outcomes[what]).toMatch(outcome);
  });

  test.each([
    ['denied', /^56 .*403/],
    ['exfiltration by label', /^56 .*403/],
    ['plain http denied', /^0 wisp egress: denied\.test: no rule allows it$/],
    ['socks denied', /^97 /],
    ['socks raw address', /^97 /],
    ['raw address', /^56 .*403/],
    ['raw v6 address', /^56 .*403/],
    ['around the proxy', /^7 .*(unreachable|Couldn't connect)/],
    ['private address', /^56 .*403/],
    ['loopback by name', /^56 .*403/],
    ['redirect to private', /^56 .*403/],
    ['another name inside', /^35 /],
    ['another port', /^56 .*403/],
    ['no tls inside', /^(52|56) /],
    ['second host header', /400/],
    ['another host on the same connection', /^0 hello from allowed\.test$/],
    ['udp', /Network is unreachable/],
    ['name service', /^2/],
    ['live change cuts', /^[1-9]\d* soon$/],
    ['live change denies', /^56 .*403/],
  ])('does not get through: %s', (what, outcome) => {
    expect(outcomes[what]).toMatch(outcome);
  });

  test('leaves a line for each verdict', () => {
    expect(outcomes.log).toBe('deny: the name leads to a private address');
  });
});
