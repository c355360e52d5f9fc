import { describe, expect, test } from 'bun:test';
import { isColorWanted, renderTable } from '../../cli/table.ts';
import { printable, textWidth, truncate } from '../../cli/text-width.ts';
import { nearest } from '../../nearest.ts';

const columns = [
  { header: 'NAME', canShrink: true },
  { header: 'STATE' },
  { header: 'MEMORY', align: 'right' },
] as const;
const rows = [
  ['demo', 'running', '12 MiB'],
  ['a-very-long-name-of-a-sprite-indeed', 'cold', '0 B'],
];

describe('renderTable()', () => {
  test('aligns columns and leaves no blanks at the end', () => {
    expect(renderTable(columns, rows, { columns: null, color: false })).toBe(
      [
        'NAME                                 STATE    MEMORY',
        'demo                                 running  12 MiB',
        'a-very-long-name-of-a-sprite-indeed  cold        0 B',
        '',
      ].join('\n'),
    );
  });

  test('cuts only what may shrink, to the width of the terminal', () => {
    const table = renderTable(columns, rows, { columns: 33, color: false });
    const lines = table.trimEnd().split('\n');
    expect(lines.every((line) => textWidth(line) <= 33)).toBe(true);
    expect(table).toContain('a-very-long-nam…  cold        0 B');
    expect(table).toContain('running  12 MiB');
  });

  test('keeps columns in line when cells hold wide characters', () => {
    const table = renderTable(
      [{ header: 'N' }, { header: 'S' }],
      [
        ['日本', 'x'],
        ['ab👍', 'y'],
        ['é', 'z'],
      ],
      {
        columns: null,
        color: false,
      },
    );
    const starts = table
      .trimEnd()
      .split('\n')
      .map((line) => textWidth(line.slice(0, line.search(/[Sxyz]$/))));
    expect(new Set(starts)).toEqual(new Set([6]));
  });

  test('shows control characters instead of obeying them', () => {
    const table = renderTable([{ header: 'N' }], [['a\x1b[31m\nb\u202e']], { columns: null, color: false });
    expect(table).toBe('N\na\\u001b[31m\\u000ab\\u202e\n');
  });

  test('is empty without rows and the same text with colour', () => {
    expect(renderTable(columns, [], { columns: null, color: true })).toBe('');
    const plain = renderTable(columns, rows, { columns: null, color: false });
    const colored = renderTable(columns, rows, { columns: null, color: true });
    expect(colored).not.toBe(plain);
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(plain);
  });
});

test('isColorWanted() follows NO_COLOR, then FORCE_COLOR, then the terminal', () => {
  expect(isColorWanted({}, true)).toBe(true);
  expect(isColorWanted({}, false)).toBe(false);
  expect(isColorWanted({ TERM: 'dumb' }, true)).toBe(false);
  expect(isColorWanted({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
  expect(isColorWanted({ NO_COLOR: '' }, true)).toBe(true);
  expect(isColorWanted({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(isColorWanted({ FORCE_COLOR: '0' }, true)).toBe(false);
});

test('textWidth() counts terminal cells', () => {
  const widths: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['日本語', 6],
    ['é', 1],
    ['e\u0301', 1],
    ['👍🏽', 2],
    ['👨‍👩‍👧', 2],
    ['ｆｕｌｌ', 8],
    ['한글', 4],
  ];
  for (const [text, width] of widths) expect([text, textWidth(text)]).toEqual([text, width]);
});

test('truncate() never cuts a character in two and never exceeds the width', () => {
  for (const text of ['日本語テキスト', '👨‍👩‍👧👨‍👩‍👧', 'plain text', 'e\u0301e\u0301e\u0301']) {
    for (let width = 0; width < 12; width += 1) {
      const cut = truncate(text, width);
      expect(textWidth(cut)).toBeLessThanOrEqual(width);
      expect(text.startsWith(cut.replace(/…$/, ''))).toBe(true);
    }
  }
  expect(truncate('日本語', 4)).toBe('日…');
  expect(printable('a\tb')).toBe('a\\u0009b');
});

test('nearest() finds what was meant and nothing far-fetched', () => {
  const verbs = ['start', 'stop', 'list', 'exec', 'sessions', 'fs'];
  expect(nearest('strat', verbs)).toBe('start');
  expect(nearest('LIST', verbs)).toBe('list');
  expect(nearest('session', verbs)).toBe('sessions');
  expect(nearest('sf', verbs)).toBe('fs');
  expect(nearest('frobnicate', verbs)).toBeNull();
  expect(nearest('x', verbs)).toBeNull();
});
