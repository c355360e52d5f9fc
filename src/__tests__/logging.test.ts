import { describe, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { createLogger, isSecretName, redact, secretValuesOf } from '../logging.ts';
import { tempDir } from './helpers/temp-dir.ts';

describe('createLogger()', () => {
  test('writes one JSON line for each entry of its level to a file of mode 0600', async () => {
    using dir = tempDir();
    const file = dir.join('logs', 'x.log');
    const log = await createLogger({ level: 'info', file });
    log.child({ sprite: 'demo' }).info({ event: 'started', duration_ms: 12 }, 'sprite started');
    log.debug('not written');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 30,
        time: expect.any(String),
        sprite: 'demo',
        event: 'started',
        duration_ms: 12,
        msg: 'sprite started',
      },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each([true, false])('lets no secret through, in whatever place (pretty: %p)', async (pretty) => {
    using dir = tempDir();
    const file = dir.join('x.log');
    const log = await createLogger({ pretty, file, secrets: ['canary-"one"', 'canary-two'] });
    log.info(
      { api_key: 'canary-key', nested: { SPRITES_TOKEN: 'canary-nested' }, list: ['canary-two'] },
      'canary-"one"',
    );
    log.error({ err: new Error('HTTP 401 for Authorization: Bearer canary.bearer') }, 'sk-ant-canary12345');
    expect(readFileSync(file, 'utf8')).not.toContain('canary');
    expect(readFileSync(file, 'utf8')).toContain('[redacted]');
  });
});

describe('redact()', () => {
  test.each([
    ['"max_tokens": 200', '"max_tokens": 200'],
    ['the token was refused', 'the token was refused'],
    ['"token":"a\\"b","x":"y"', '"token":"[redacted]","x":"y"'],
    ['GH_TOKEN=abc next', 'GH_TOKEN=[redacted] next'],
    ['Authorization: Bearer abcdefghij', 'Authorization: Bearer [redacted]'],
    ['key sk-proj-abcdefgh.', 'key [redacted].'],
    ['ghp_abcdefghijklmnopqrstuvwxyz', '[redacted]'],
  ])('%s', (text, clean) => expect(redact(text)).toBe(clean));
});

describe('secretValuesOf()', () => {
  test('picks the values of secret-looking names', () => {
    const env = { ANTHROPIC_API_KEY: 'value-1', SPRITES_TOKEN: 'value-2', PATH: '/usr/bin', EMPTY_TOKEN: '' };
    expect(secretValuesOf(env)).toEqual(['value-1', 'value-2']);
    expect(isSecretName('AWS_SECRET_ACCESS_KEY')).toBe(true);
    expect(isSecretName('HOME')).toBe(false);
  });
});
