import { describe, expect, test } from 'bun:test';
import { parseJsonFile } from '../../config/json-file.ts';

const parse = (text: string) => parseJsonFile(text, '/p/config.json', 'config.json');

function refusalOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'not refused';
}

test('parseJsonFile() takes comments, trailing commas and a BOM', () => {
  const text =
    '\ufeff// head\n{\n  "a": 1, /* b */\n  "list": [1, 2,],\n  "text": "// no comment",\n}\n// tail';
  expect(parse(text).value).toEqual({ a: 1, list: [1, 2], text: '// no comment' });
});

test('parseJsonFile() knows the line of each value, also after a BOM and in Windows files', () => {
  const layer = parse('\ufeff{\r\n  "a": {\r\n    "b": [1,\r\n 2] } }');
  const lineOf = (...path: PropertyKey[]) => layer.originOf(path).line;
  expect([lineOf('a'), lineOf('a', 'b'), lineOf('a', 'b', 1), lineOf('a', 'gone')]).toEqual([2, 3, 4, 2]);
  expect(layer.originOf(['a', 'b'])).toEqual({ kind: 'file', source: '/p/config.json', line: 3, column: 5 });
});

describe('parseJsonFile() refuses with the line', () => {
  const cases: [text: string, message: string][] = [
    ['', '1: the file is empty: at least {} is wanted'],
    ['  \n\n', '1: the file is empty: at least {} is wanted'],
    ['// only a comment', '1: the file ends in the middle of a value'],
    ['[1]', '1: the file is not an object: { … }'],
    ['"text"', '1: the file is not an object: { … }'],
    ['{"a":', '1: the file ends in the middle of a value'],
    ['{\n"a": 1\n', '2: the file ends in the middle of a value'],
    ['{\n"a": "x', '2: "\\"x" begins a text that does not end on its line'],
    ['{\n"a": 1\n"b": 2}', '3: "\\"b\\"" stands where "," or the end is wanted'],
    ['{a: 1}', '1: "a" is not JSON: keys and texts stand in double quotes'],
    ["{'a': 1}", '1: "\'a\'" is not JSON: keys and texts stand in double quotes'],
    ['{"a": 1} x', '1: "x" is not JSON: keys and texts stand in double quotes'],
    ['{"a": 1}\n{"b": 2}', '2: "{" stands after the end'],
    ['{"a" 1}', '1: "1" stands where ":" is wanted'],
    ['{"a": undefined}', '1: "undefined" is not JSON: keys and texts stand in double quotes'],
    ['{"a": "\\x"}', '1: "\\"\\\\x\\"" has a "\\" before a letter that cannot follow it'],
    ['{"a": 1,\n "a": 2}', '2: a stands here a second time'],
    ['{"x": {"__proto__": {"y": 1}}}', '1: x.__proto__ is not a key'],
    ['{ /* never ends', '1: "/* never ends" begins a comment that never ends'],
    [`{"a":${'['.repeat(200_000)}`, '1: '],
  ];
  for (const [text, message] of cases) {
    test(JSON.stringify(text.slice(0, 40)), () => {
      expect(refusalOf(text)).toStartWith(`config: config.json:${message}`);
    });
  }
});
