import { describe, expect, test } from 'bun:test';
import fs from 'node:fs';
import path from 'node:path';
import { forgetSprite } from '../../sync/forget-sprite.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import {
  loadRecord,
  type ManifestEntry,
  recordFileOf,
  type SpriteRecord,
  saveRecord,
} from '../../sync/sprite-record.ts';
import { syncStatus } from '../../sync/sync-status.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { place, write } from './project.ts';

const STAT = {
  sizeBytes: 5,
  mtimeMs: 1795175130611.6284,
  ctimeMs: 1795175130611.6284,
  ino: 5308544,
  mode: 0o644,
};
const FILE = { kind: 'file', sizeBytes: 5, sha256: 'a'.repeat(64), isInHead: false } as const;

function recordOf(entries: [string, ManifestEntry][]): SpriteRecord {
  return {
    spriteId: 'id',
    dir: '/home/sprite/project',
    token: 't',
    baseId: 'b',
    tokenCtime: '1795175130611628412',
    pushedAt: '2026-01-02T03:04:05.678Z',
    hashedAtMs: 1795175130700,
    historyDepth: null,
    include: ['x'],
    exclude: [],
    repositories: [
      { at: 'sub/', head: null, headRef: 'refs/heads/main', objectFormat: 'sha256', shallow: ['c'] },
    ],
    keptBack: ['.env'],
    entries: new Map(entries),
  };
}

describe('a record', () => {
  test('comes back as it was saved: links, programs, odd names, entries without a stat, an id or a base', () => {
    using dir = tempDir();
    for (const oid of ['b'.repeat(40), 'c'.repeat(64), null]) {
      const record = recordOf([
        ['a\xff\n b', { ...FILE, isExecutable: false, gitOid: oid, baseAt: 0, stat: STAT }],
        ['l', { kind: 'symlink', target: '../\xfe', isInHead: true }],
        ['x', { ...FILE, isExecutable: true, gitOid: null, baseAt: null, stat: null, isInHead: true }],
      ]);
      saveRecord(dir.path, record);
      const { columns: _, ...loaded } = loadRecord(dir.path) ?? { columns: null };
      expect(loaded).toEqual(record);
    }
    saveRecord(dir.path, recordOf([]));
    expect(loadRecord(dir.path)?.entries.size).toBe(0);
  });

  test('that is damaged is an error that says which file, not an empty one', () => {
    using dir = tempDir();
    saveRecord(
      dir.path,
      recordOf([['a', { ...FILE, isExecutable: false, gitOid: null, baseAt: 1, stat: STAT }]]),
    );
    const whole = fs.readFileSync(recordFileOf(dir.path), 'utf8');
    const damages = [
      '',
      '{',
      'null',
      '[]',
      whole.slice(0, -20),
      whole.replace('"version":1', '"version":2'),
      whole.replace('"kinds":"f"', '"kinds":"ff"'),
      whole.replace('"kinds":"f"', '"kinds":"z"'),
      whole.replace('aaaa', 'zzzz'),
      whole.replace('"sizes":[5]', '"sizes":["5"]'),
    ];
    for (const text of damages) {
      fs.writeFileSync(recordFileOf(dir.path), text);
      expect(() => loadRecord(dir.path)).toThrow(
        expect.objectContaining({
          code: 'SPRITE_SYNC_FAILED',
          message: expect.stringContaining('record.json'),
        }),
      );
    }
  });

  test('of a sprite that was killed is forgotten, and of that one alone', async () => {
    using at = place();
    write(at.root, { a: '1' });
    for (const name of ['demo', 'other']) await pushProject({ root: at.root, port: at.portWith({ name }) });
    await forgetSprite(at.root, 'demo');
    await forgetSprite(at.root, 'never-was');
    expect(syncStatus(at.root).sprites.map(({ sprite }) => sprite)).toEqual(['other']);
    expect(fs.readdirSync(path.join(at.root, '.wreckit/sync/sprites'))).toEqual(['other']);
    await expect(pullChanges({ root: at.root, port: at.port })).rejects.toThrow('nothing was pushed');
    await forgetSprite(path.dirname(at.root), 'demo');
    expect(fs.existsSync(path.join(path.dirname(at.root), '.wreckit'))).toBe(false);
  });
});
