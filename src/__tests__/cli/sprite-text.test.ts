import { expect, test } from 'bun:test';
import { spriteTable } from '../../cli/sprite-text.ts';
import { unknownSprite } from '../../engine/local/sprite-view.ts';

test('spriteTable() shows nothing about a sprite of which nothing is known', () => {
  const [, row = ''] = spriteTable([unknownSprite('broken', 'why')], { columns: null, color: false }).split(
    '\n',
  );
  expect(row.trim().split(/\s+/)).toEqual(['broken', 'unknown', '-', '-', '-', '-', '-', '0']);
});
