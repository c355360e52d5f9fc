import { describe, expect, test } from 'bun:test';
import { assertMaySendToken, parseApiUrl } from '../../../engine/cloud/api-target.ts';
import { execRoute, goDuration } from '../../../engine/cloud/exec-route.ts';
import {
  areSameRules,
  networkOfRules,
  rulesFor,
  rulesForApi,
  rulesIn,
  rulesOfApi,
} from '../../../engine/cloud/network-rules.ts';
import { Overlap, Tail } from '../../../engine/cloud/overlap.ts';
import { labelList, spriteOf } from '../../../engine/cloud/sprite-text.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';

describe('parseApiUrl()', () => {
  test('takes https, http, unix sockets and a path before /v1', () => {
    expect(parseApiUrl('https://api.sprites.dev/')).toMatchObject({
      url: 'https://api.sprites.dev',
      port: 443,
      isSecure: true,
      isLocal: false,
    });
    expect(parseApiUrl('http://[::1]:81/base/')).toMatchObject({
      url: 'http://[::1]:81/base',
      host: '::1',
      basePath: '/base',
      isLocal: true,
    });
    expect(parseApiUrl('unix:/run/api.sock')).toMatchObject({ socketPath: '/run/api.sock', isLocal: true });
    expect(parseApiUrl('unix:///run/api.sock').socketPath).toBe('/run/api.sock');
  });

  test('refuses what could be meant otherwise, without repeating a password', async () => {
    for (const text of [
      '',
      'api.sprites.dev',
      'file:///x',
      'https://u:hunter2@x',
      'https://x?token=1',
      'https://x#y',
      'unix:x',
    ]) {
      const error = await wreckitErrorOf(() => parseApiUrl(text));
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).not.toContain('hunter2');
    }
  });

  test('a token goes in the clear to this machine alone, or where that was allowed', async () => {
    for (const text of ['https://x.example', 'http://127.3.2.1:1', 'http://localhost:1', 'unix:/x']) {
      assertMaySendToken(parseApiUrl(text), false);
    }
    for (const text of [
      'http://x.example',
      'http://10.0.0.1',
      'http://127.0.0.1.example',
      'http://localhost.example',
    ]) {
      expect((await wreckitErrorOf(() => assertMaySendToken(parseApiUrl(text), false))).code).toBe(
        'POLICY_DENIED',
      );
      assertMaySendToken(parseApiUrl(text), true);
    }
  });
});

describe('Overlap', () => {
  const tailOf = (text: string): Tail => {
    const tail = new Tail();
    tail.push(Buffer.from(text));
    return tail;
  };
  const push = (overlap: Overlap, text: string) => {
    const found = overlap.push(Buffer.from(text));
    return found === null ? null : [found.bytes.toString(), found.isExact];
  };

  test('everything is new to who has seen nothing', () => {
    expect(push(new Overlap(new Tail()), 'abc')).toEqual(['abc', true]);
  });

  test('what was seen is left out, also when it comes in pieces', () => {
    const overlap = new Overlap(tailOf('one\ntwo\n'));
    expect(push(overlap, 'one\n')).toBeNull();
    expect(push(overlap, 'two\nthree')).toEqual(['three', true]);
  });

  test('output that repeats itself is no trouble while all of it is known', () => {
    expect(push(new Overlap(tailOf('y\ny\n')), 'y\ny\ny\ny\n')).toEqual(['y\ny\n', true]);
  });

  test('of a long stream the end is looked for, and a place that is not the only one is not exact', () => {
    const seen = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
    const overlap = new Overlap(tailOf(seen));
    expect(push(overlap, `${seen.slice(-100_000)}new`)).toEqual(['new', true]);
    const same = 'y\n'.repeat(100_000);
    expect(push(new Overlap(tailOf(same)), same)?.[1]).toBe(false);
  });

  test('what has nothing in common is given whole, and said not to be exact', () => {
    const overlap = new Overlap(tailOf('abc'));
    expect(push(overlap, 'x')).toBeNull();
    expect(overlap.giveUp()).toMatchObject({ isExact: false });
  });

  test('less than was known, and the same, is nothing new', () => {
    const overlap = new Overlap(tailOf('abcdef'));
    expect(push(overlap, 'def')).toBeNull();
    const { bytes, isExact } = overlap.giveUp();
    expect([bytes.toString(), isExact]).toEqual(['', true]);
  });
});

describe('network rules', () => {
  test('each mode is rules that mean it', () => {
    for (const mode of ['open', 'filtered', 'none'] as const) {
      const rules = rulesFor(mode, mode === 'filtered' ? ['a.example', 'defaults'] : undefined);
      expect([mode, networkOfRules(rules), networkOfRules(rulesOfApi(rulesForApi(rules)))]).toEqual([
        mode,
        mode,
        mode,
      ]);
    }
    expect(rulesForApi(rulesFor('filtered', ['a.example']))).toEqual([
      { domain: 'a.example', action: 'allow' },
      { domain: '*', action: 'deny' },
    ]);
  });

  test('what is not allowed is denied on the wire too, where no rules at all let everything through', () => {
    const deny = { domain: 'a.example', action: 'deny' } as const;
    expect(rulesForApi([])).toEqual([{ domain: '*', action: 'deny' }]);
    expect(rulesOfApi([])).toEqual([{ domain: '*', action: 'allow' }]);
    expect(rulesOfApi(rulesForApi([]))).toEqual([]);
    expect(networkOfRules(rulesOfApi(rulesForApi([deny])))).toBe('none');
  });

  test('a denied name alone closes nothing, and is not told as closed', () => {
    expect(networkOfRules(rulesOfApi([{ domain: 'a.example', action: 'deny' }]))).toBe('open');
  });

  test('rules are the same in any order, and not when one is missing', () => {
    const rules = rulesFor('filtered', ['a.example', 'b.example']);
    expect(areSameRules(rules, [...rules].reverse())).toBe(true);
    expect(areSameRules(rules, rules.slice(1))).toBe(false);
    expect(rulesIn({ rules: [...rules, { domain: 1 }, null] })).toEqual([...rules]);
    expect(rulesIn('nonsense')).toEqual([]);
    expect(areSameRules([], rulesFor('open', undefined))).toBe(true);
    expect(areSameRules([], rulesForApi([]))).toBe(false);
  });
});

describe('execRoute()', () => {
  const none = new Set<string>();

  test('has every word and variable encoded, and refuses what a URL cannot hold', async () => {
    const route = execRoute({
      name: 'demo',
      spec: { command: ['a b', '&c=d', '😀'], env: { K: 'v&=' } },
      extensions: new Set(['exec-env']),
    });
    const query = new URLSearchParams(route.slice(route.indexOf('?')));
    expect(query.getAll('cmd')).toEqual(['a b', '&c=d', '😀']);
    expect(query.getAll('env')).toEqual(['K=v&=']);
    expect(query.get('stdin')).toBe('false');
    const long = { command: ['x'.repeat(40_000)] };
    expect((await wreckitErrorOf(() => execRoute({ name: 'demo', spec: long, extensions: none }))).code).toBe(
      'USAGE',
    );
  });

  test('where variables may replace the environment a shell mends what is missing', () => {
    const query = (env: Record<string, string>) =>
      new URLSearchParams(
        execRoute({ name: 'demo', spec: { command: ['x'], env }, extensions: none }).split('?')[1],
      );
    expect(query({}).getAll('cmd')).toEqual(['x']);
    expect(query({ A: '1' }).getAll('cmd')[0]).toBe('/bin/sh');
    expect(query({ A: '1' }).getAll('cmd').at(-1)).toBe('x');
  });

  test('durations are those of the API', () => {
    expect([goDuration(0), goDuration(1500), goDuration(90_000)]).toEqual(['0', '1500ms', '90s']);
  });
});

describe('spriteOf()', () => {
  const target = parseApiUrl('https://api.sprites.dev');

  test('labels carry owner and expiry there and back', () => {
    const labels = labelList(
      { team: 'web', plain: '' },
      { owner: 'run-1', expiresAt: '2030-01-01T00:00:00Z' },
    );
    expect(spriteOf({ name: 'a', status: 'cold', labels }, target)).toMatchObject({
      state: 'cold',
      labels: { team: 'web', plain: '' },
      owner: 'run-1',
      expires_at: '2030-01-01T00:00:00Z',
    });
  });

  test('the shortest entry there is still a sprite, in a state nobody knows; a bad name is none', () => {
    expect(spriteOf({ name: 'a', org_slug: 'o' }, target)).toMatchObject({
      state: 'unknown',
      isolation: 'vm',
      network: 'open',
    });
    for (const name of ['../x', 'A', '', 1, null]) expect(spriteOf({ name }, target)).toBeUndefined();
  });

  test('isolation is what the server says; of a stranger nothing is assumed', () => {
    const stranger = parseApiUrl('https://sprites.dev.example');
    expect(spriteOf({ name: 'a' }, stranger)?.isolation).toBeNull();
    expect(spriteOf({ name: 'a', isolation: 'namespace' }, target)?.isolation).toBe('namespace');
  });
});
