import { expect, test } from 'bun:test';
import { normaliseSprites } from '../../contract/normalise-sprite.ts';
import { parseWispJson } from '../../contract/parse.ts';
import { WreckitError } from '../../errors.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sprite = { name: 'demo', state: 'running' };

function errorFrom(action: () => unknown): WreckitError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof WreckitError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

const LISTS: readonly [what: string, stdout: string][] = [
  ['our envelope', JSON.stringify({ success: true, verb: 'list', data: { sprites: [sprite] } })],
  ['data.sprites without success', JSON.stringify({ data: { sprites: [sprite] } })],
  ['{sprites}', JSON.stringify({ sprites: [sprite] })],
  ['a bare array', JSON.stringify([sprite])],
  ['data as an array', JSON.stringify({ success: true, data: [sprite] })],
  ['a pretty-printed document', JSON.stringify({ sprites: [sprite] }, null, 2)],
  ['status instead of state', JSON.stringify([{ name: 'demo', status: 'running' }])],
  ['a byte order mark', `\ufeff${JSON.stringify([sprite])}`],
  ['talk before it', `warning: old config\nupdate available\n${JSON.stringify([sprite])}\n`],
  ['talk that begins like JSON', `[warn] clock skew\n{not json}\n${JSON.stringify([sprite], null, 2)}`],
  ['JSON log lines before it', `{"level":"info"}\n${JSON.stringify({ success: true, data: [sprite] })}`],
  [
    'talk before and after it',
    `hello\n${JSON.stringify({ success: true, data: { sprites: [sprite] } })}\n{"level":"info"}\nbye\n`,
  ],
  ['CRLF line ends', `note\r\n${JSON.stringify([sprite])}\r\n`],
];

for (const [what, stdout] of LISTS) {
  test(`parseWispJson() reads a list from ${what}`, () => {
    const answer = parseWispJson(bytes(stdout), 'list');
    const { items } = normaliseSprites(answer.data, 'list');
    expect(items.map(({ name, state }) => [name, state])).toEqual([['demo', 'running']]);
  });
}

test('parseWispJson() reports talk around the document, without control characters', () => {
  const answer = parseWispJson(bytes(`\u001b[31mwarning:\u001b[0m\u0007 old\n[]`), 'list');
  expect(answer.noise).toEqual(['warning: old']);
});

const NO_ANSWER: readonly [what: string, stdout: string][] = [
  ['nothing', ''],
  ['white space', ' \n\n'],
  ['text', 'usage: wisp <host>\n'],
  ['half a document', '{"success":true,"data":{"sprites":['],
  ['a number', '42'],
  ['null', 'null'],
  ['a text in JSON', '"no sprites"'],
  ['two documents in one line', '[] {"sprites":[]}\n'],
  ['broken UTF-8', '\ufffd\ufffd{{{'],
];

for (const [what, stdout] of NO_ANSWER) {
  test(`parseWispJson() takes ${what} for WISP_PROTOCOL, never for an empty list`, () => {
    expect(errorFrom(() => parseWispJson(bytes(stdout), 'list')).code).toBe('WISP_PROTOCOL');
  });
}

test('normaliseSprites() takes a document without a list for WISP_PROTOCOL', () => {
  for (const data of [{}, { sprites: null }, { sprites: {} }, { message: 'ok' }, 7, null]) {
    expect(errorFrom(() => normaliseSprites(data, 'list')).code).toBe('WISP_PROTOCOL');
  }
});

test('parseWispJson() is quick with eight megabytes of almost JSON', () => {
  const startedAt = performance.now();
  const garbage = '{"a":[1,2,{"b":\n'.repeat(500_000);
  expect(errorFrom(() => parseWispJson(bytes(garbage), 'list')).code).toBe('WISP_PROTOCOL');
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

const ERROR_BODIES: readonly [what: string, document: unknown, code: string, message: string][] = [
  [
    'of ours',
    { success: false, verb: 'info', error: { code: 'SPRITE_NOT_FOUND', message: 'sprite "x": gone' } },
    'SPRITE_NOT_FOUND',
    'sprite "x": gone',
  ],
  ['without success', { error: { code: 'AUTH_REJECTED', message: 'no' } }, 'AUTH_REJECTED', 'no'],
  ['beside success', { success: true, error: { code: 'TIMEOUT', message: 'late' } }, 'TIMEOUT', 'late'],
  ['as text', { error: 'unauthorized' }, 'WISP_PROTOCOL', 'wisp list: unauthorized'],
  ['with ok: false', { ok: false, message: 'down' }, 'WISP_PROTOCOL', 'wisp list: down'],
  ['that says nothing', { success: false }, 'WISP_PROTOCOL', 'wisp list: it failed and said no more'],
  [
    'with a code of its own',
    { success: false, error: { code: 'E_MOON', message: 'phase' } },
    'WISP_PROTOCOL',
    'wisp list: phase',
  ],
];

for (const [what, document, code, message] of ERROR_BODIES) {
  test(`parseWispJson() throws the error of a body ${what}, though the exit code is 0`, () => {
    const error = errorFrom(() => parseWispJson(bytes(JSON.stringify(document)), 'list', 0));
    expect([String(error.code), error.message]).toEqual([code, message]);
  });
}

test('parseWispJson() names a failure without a known code by the exit code, then by the verb', () => {
  const body = bytes('{"success":false,"error":{"code":"X","message":"m"}}');
  expect(errorFrom(() => parseWispJson(body, 'start', 1)).code).toBe('SPRITE_START_FAILED');
  expect(errorFrom(() => parseWispJson(body, 'kill', 1)).name).toBe('SpriteKillError');
  expect(errorFrom(() => parseWispJson(body, 'start', 6)).code).toBe('ENGINE_UNAVAILABLE');
  expect(errorFrom(() => parseWispJson(body, 'start', 1)).details.wisp_code).toBe('X');
});

test('parseWispJson() keeps hint, details and retryable of a body, and no escape sequences', () => {
  const error = {
    code: 'SPRITE_BUSY',
    message: 'a\u001b[2Jb',
    hint: 'wait',
    retryable: true,
    details: { n: 1 },
  };
  const thrown = errorFrom(() => parseWispJson(bytes(JSON.stringify({ success: false, error })), 'kill', 5));
  expect([thrown.message, thrown.hint, thrown.retryable]).toEqual(['ab', 'wait', true]);
  expect(thrown.details).toEqual({ n: 1 });
});
