import { describe, expect, test } from 'bun:test';
import type { EntryState } from '../../sync/entry-state.ts';
import { type Decision, decide } from '../../sync/three-way.ts';

/** `A` is content A, `A!` the same as a program, `>x` a link to x, empty nothing, `other` a directory. */
function state(text: string): EntryState | null | 'other' {
  if (text === '') return null;
  if (text === 'other') return 'other';
  if (text.startsWith('>')) return { kind: 'symlink', target: text.slice(1) };
  return { kind: 'file', isExecutable: text.endsWith('!'), sizeBytes: 1, sha256: text.replace('!', '') };
}

function shown(decision: Decision): string {
  switch (decision.kind) {
    case 'nothing':
      return 'nothing';
    case 'conflict':
      return decision.reason;
    default:
      return decision.kind + (decision.isExecutable ? '!' : '');
  }
}

describe('`decide()`', () => {
  const TABLE: [before: string, sprite: string, here: string, outcome: string][] = [
    ['A', 'A', 'B', 'nothing'],
    ['A', 'A', '', 'nothing'],
    ['A', 'B', 'B', 'nothing'],
    ['', 'A', 'A', 'nothing'],
    ['A', '', '', 'nothing'],
    ['A', 'B', 'A', 'take'],
    ['A', 'B!', 'A', 'take!'],
    ['', 'A', '', 'take'],
    ['A', '', 'A', 'take'],
    ['A', '>x', 'A', 'take'],
    ['>x', 'A', '>x', 'take'],
    ['>x', '>y', '>x', 'take'],
    ['>x', '', '>x', 'take'],
    ['A', 'A!', 'A', 'set_mode!'],
    ['A!', 'A', 'A!', 'set_mode'],
    ['A', 'A!', 'B', 'set_mode!'],
    ['A', 'B', 'B!', 'nothing'],
    ['A', 'B', 'A!', 'take!'],
    ['A!', 'B', 'A!', 'take'],
    ['A', 'B!', 'B', 'set_mode!'],
    ['A', 'B', 'C', 'merge'],
    ['A', 'B!', 'C', 'merge!'],
    ['A', 'B', 'C!', 'merge!'],
    ['A!', 'B', 'C!', 'merge'],
    ['A', 'B', '', 'deleted_here'],
    ['A', '', 'B', 'deleted_there'],
    ['', 'A', 'B', 'added_both'],
    ['', 'A', 'A!', 'added_both'],
    ['A', '>x', 'B', 'changed_both'],
    ['A', 'B', '>x', 'changed_both'],
    ['>x', '>y', '>z', 'changed_both'],
    ['', '>x', '>y', 'added_both'],
    ['', 'A', 'other', 'in_the_way'],
    ['A', 'B', 'other', 'in_the_way'],
    ['A', '', 'other', 'nothing'],
    ['A', 'A', 'other', 'nothing'],
  ];
  for (const [before, sprite, here, outcome] of TABLE) {
    test(`pushed ${before || 'nothing'}, there ${sprite || 'nothing'}, here ${here || 'nothing'}: ${outcome}`, () => {
      const [b, s] = [state(before), state(sprite)];
      if (b === 'other' || s === 'other') throw new Error('not in this table');
      expect(shown(decide({ before: b, sprite: s, here: state(here) }))).toBe(outcome);
    });
  }
});
