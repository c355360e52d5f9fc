import { expect, test } from 'bun:test';
import {
  normaliseChecks,
  normaliseFiles,
  normaliseGc,
  normaliseKilled,
  normaliseVersion,
} from '../../contract/normalise.ts';
import { normaliseAttach, normaliseExec, normaliseSessions } from '../../contract/normalise-session.ts';
import { normaliseOneSprite, normaliseSprites } from '../../contract/normalise-sprite.ts';
import { SessionSchema, SpriteSchema } from '../../contract/schemas.ts';

test('normaliseSprites() drops what has no usable name, with a warning for each, and keeps the rest', () => {
  const raw = [{ name: 'a' }, { state: 'running' }, { name: '' }, { name: '../x' }, null, 'b', { name: 'c' }];
  const { items, warnings } = normaliseSprites(raw, 'list');
  expect(items.map(({ name }) => name)).toEqual(['a', 'c']);
  expect(warnings).toHaveLength(5);
  expect(warnings[0]).toContain('running');
});

test('normaliseSprites() makes a bare name a sprite that fits the schema and claims nothing', () => {
  const [sprite] = normaliseSprites([{ name: 'a' }], 'list').items;
  expect(SpriteSchema.parse(sprite)).toMatchObject({
    state: 'unknown',
    network: 'open',
    isolation: null,
    resources: { memory_bytes: null, cpus: null, pids: null },
  });
});

test('normaliseSprites() takes a state it does not know for unknown, and keeps fields it does not know', () => {
  const [sprite] = normaliseSprites([{ name: 'a', state: 'levitating', region: 'fra' }], 'list').items;
  expect(sprite).toMatchObject({ state: 'unknown', region: 'fra' });
});

test('normaliseOneSprite() reads {sprite} and a bare sprite, and takes nothing else for one', () => {
  expect(normaliseOneSprite({ sprite: { name: 'a' } }, 'info').name).toBe('a');
  expect(normaliseOneSprite({ name: 'a' }, 'info').name).toBe('a');
  expect(() => normaliseOneSprite({}, 'info')).toThrow('no sprite');
  expect(() => normaliseOneSprite([], 'info')).toThrow('no sprite');
});

test('normaliseSessions() fits the schema and never calls a silent session running', () => {
  const { items, warnings } = normaliseSessions(
    { sessions: [{ id: 7 }, { id: 's1', exit_code: 3 }, {}] },
    's',
  );
  expect(items.map((session) => SessionSchema.parse(session).state)).toEqual(['lost', 'exited']);
  expect(warnings).toHaveLength(1);
});

test('normaliseExec() wants an exit code, never takes its absence for success', () => {
  expect(() => normaliseExec({ stdout: 'hi' }, false)).toThrow('no exit code');
  expect(() => normaliseExec({ exit_code: '0' }, false)).toThrow('no exit code');
  expect(() => normaliseExec(null, false)).toThrow('no result');
  expect(normaliseExec({ exit_code: 3 }, false)).toMatchObject({
    exit_code: 3,
    stdout: '',
    timed_out: false,
  });
});

test('normaliseExec() wants a session id of a detached command', () => {
  expect(() => normaliseExec({ exit_code: null }, true)).toThrow('no session id');
  expect(normaliseExec({ session_id: 12, exit_code: null }, true).session_id).toBe('12');
});

test('normaliseKilled() takes nothing for gone that is not named', () => {
  expect(normaliseKilled({ killed: ['a', 1, 'b'] })).toEqual(['a', 'b']);
  expect(() => normaliseKilled({ ok: true })).toThrow('does not say what was killed');
});

test('the other normalisers refuse an answer without their data', () => {
  expect(() => normaliseFiles({}, 'fs ls')).toThrow('no list of files');
  expect(() => normaliseGc({})).toThrow('what was removed');
  expect(() => normaliseChecks({})).toThrow('no list of checks');
  expect(() => normaliseAttach({ output_tail: '' })).toThrow('no session');
  expect(normaliseVersion({ engine: 'x' })).toBeUndefined();
  expect(normaliseVersion({ engine: 'x', protocol: '1' })).toBeUndefined();
  expect(normaliseVersion([])).toBeUndefined();
});
