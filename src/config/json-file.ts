/** Reads one configuration file: JSON with comments and trailing commas, every fault with its line. */
import { readFileSync, statSync } from 'node:fs';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { type JsonObject, type JsonValue, type Layer, type Origin, pathText } from './layer.ts';

const MAX_BYTES = 1024 * 1024;
const BOM = '\ufeff';

/** Throws `CONFIG_INVALID`; `label` is the path as people know it. */
export function readJsonFile(file: string, label: string): Layer {
  return parseJsonFile(readSource(file, label), file, label);
}

function readSource(file: string, label: string): string {
  const refused = (what: string, cause?: unknown): WreckitError =>
    new WreckitError('CONFIG_INVALID', `config: ${label} ${what}`, {
      hint: 'make it a readable text file, or move it away',
      details: { file },
      cause,
    });
  let bytes: Uint8Array;
  try {
    const stats = statSync(file);
    // Not opened before this is known: reading from a pipe would wait for ever.
    if (!stats.isFile()) throw refused('is not a regular file');
    if (stats.size > MAX_BYTES) throw refused('is larger than a configuration may be (1 MiB)');
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof WreckitError) throw error;
    throw refused(`cannot be read: ${errnoOf(error) ?? String(error)}`, error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refused('is not UTF-8 text', cause);
  }
}

/** Throws `CONFIG_INVALID` with the line of the first fault. */
export function parseJsonFile(source: string, file: string, label: string): Layer {
  const text = source.startsWith(BOM) ? source.slice(1) : source;
  const errors: ParseError[] = [];
  const place = placeIn(text);
  const fault = (offset: number, what: string): WreckitError => {
    const { line, column } = place(offset);
    return new WreckitError('CONFIG_INVALID', `config: ${label}:${line}: ${what}`, {
      hint: 'correct the file; nothing is done with a configuration that cannot be read',
      details: { file, line, column },
    });
  };
  let tree: Node | undefined;
  let value: JsonValue;
  try {
    tree = parseTree(text, errors, { allowTrailingComma: true });
    const [first] = errors;
    if (first !== undefined)
      throw fault(Math.min(first.offset, text.trimEnd().length), faultText(first, text));
    if (tree?.type !== 'object') throw fault(tree?.offset ?? 0, 'the file is not an object: { … }');
    value = valueOfNode(tree, [], fault);
  } catch (error) {
    if (error instanceof RangeError) throw fault(0, 'the values are nested too deeply');
    throw error;
  }
  const root = tree;
  return {
    value: value as JsonObject,
    originOf: (path) => originIn(root, path, file, place),
  };
}

/** The value of a node. Refuses what `JSON.parse` lets pass: a key that stands twice, `__proto__`. */
function valueOfNode(
  node: Node,
  path: readonly PropertyKey[],
  fault: (offset: number, what: string) => Error,
): JsonValue {
  if (node.type === 'array') {
    return (node.children ?? []).map((child, index) => valueOfNode(child, [...path, index], fault));
  }
  if (node.type !== 'object') return node.value as JsonValue;
  const object: JsonObject = {};
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    const keyPath = [...path, key];
    if (Object.hasOwn(object, key))
      throw fault(keyNode.offset, `${pathText(keyPath)} stands here a second time`);
    if (key === '__proto__') throw fault(keyNode.offset, `${pathText(keyPath)} is not a key`);
    object[key] = valueOfNode(valueNode, keyPath, fault);
  }
  return object;
}

type Place = (offset: number) => { line: number; column: number };

function placeIn(text: string): Place {
  return (offset) => {
    const before = text.slice(0, offset).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  };
}

function originIn(root: Node, path: readonly PropertyKey[], file: string, place: Place): Origin {
  const steps = path.filter((key) => typeof key !== 'symbol');
  for (let length = steps.length; length >= 0; length -= 1) {
    const node = findNodeAtLocation(root, steps.slice(0, length));
    if (node === undefined) continue;
    const { offset } = node.parent?.type === 'property' ? node.parent : node;
    return { kind: 'file', source: file, ...place(offset) };
  }
  return { kind: 'file', source: file, line: 1, column: 1 };
}

const FAULTS: Readonly<Record<string, string>> = {
  InvalidSymbol: 'is not JSON: keys and texts stand in double quotes',
  InvalidNumberFormat: 'is not a number',
  PropertyNameExpected: 'stands where a key in double quotes is wanted',
  ValueExpected: 'stands where a value is wanted',
  ColonExpected: 'stands where ":" is wanted',
  CommaExpected: 'stands where "," or the end is wanted',
  CloseBraceExpected: 'stands where "}" is wanted',
  CloseBracketExpected: 'stands where "]" is wanted',
  EndOfFileExpected: 'stands after the end',
  UnexpectedEndOfComment: 'begins a comment that never ends',
  UnexpectedEndOfString: 'begins a text that does not end on its line',
  UnexpectedEndOfNumber: 'is half a number',
  InvalidUnicode: 'has a "\\u" without four hexadecimal digits',
  InvalidEscapeCharacter: 'has a "\\" before a letter that cannot follow it',
  InvalidCharacter: 'has a control character in it, which must be written as "\\u…"',
};

function faultText({ error, offset, length }: ParseError, text: string): string {
  if (text.trim() === '') return 'the file is empty: at least {} is wanted';
  if (offset >= text.trimEnd().length) return 'the file ends in the middle of a value';
  const found = text.slice(offset, offset + Math.max(1, length)).split('\n')[0] ?? '';
  return `${quote(found.slice(0, 30))} ${FAULTS[printParseErrorCode(error)] ?? 'is not JSON'}`;
}
