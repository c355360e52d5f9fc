/** What a schema complains about, in words: path, value, what was wanted, and the nearest key. */
import type { z } from 'zod';
import { quote } from '../contract/names.ts';
import { nearest } from '../nearest.ts';
import { isJsonObject, pathText } from './layer.ts';
import { isSecretKey } from './redact.ts';

type Issue = z.core.$ZodIssue;

export interface Fault {
  readonly path: readonly PropertyKey[];
  /** `agent.maxVMs: -1 is below 1`. */
  readonly message: string;
  readonly hint: string | undefined;
  /** True where nothing is wrong but something is lacking, which a higher layer may bring. */
  readonly isMissing: boolean;
}

/** `keysAt` names the keys an object may have; for the suggestion only. */
export function faultsOf(
  issues: readonly Issue[],
  input: unknown,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey(issue.path, key, input, keysAt));
    const value = valueAt(input, issue.path);
    const isMissing = value === undefined;
    const words = isMissing ? 'is missing' : wordsOf(issue, value);
    const shown = isMissing ? '' : `${shownValue(issue.path, value)} `;
    return [
      { path: issue.path, message: `${pathText(issue.path)}: ${shown}${words}`, hint: undefined, isMissing },
    ];
  });
}

function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  input: unknown,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): Fault {
  const parent = valueAt(input, path);
  const kind =
    isJsonObject(parent) && typeof parent.kind === 'string' ? ` of an agent of kind "${parent.kind}"` : '';
  const near = nearest(key, keysAt(path));
  return {
    path: [...path, key],
    message: `${pathText([...path, key])}: it is not a setting${kind}`,
    hint:
      near === null
        ? `remove it; the settings here are: ${keysAt(path).join(', ')}`
        : `did you mean "${near}"?`,
    isMissing: false,
  };
}

function wordsOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `is not ${typeWords(issue.expected)}`;
    case 'too_small':
      return issue.origin === 'string' ? 'is empty' : `is below ${issue.minimum}`;
    case 'too_big':
      return `is above ${issue.maximum}`;
    case 'invalid_value':
      return `is not one of ${issue.values.map((option) => quoted(option)).join(', ')}`;
    case 'invalid_union':
      return unionWords(issue, value);
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'is not a key';
    default:
      return issue.message;
  }
}

function unionWords(issue: z.core.$ZodIssueInvalidUnion, value: unknown): string {
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : null;
  if (options === null)
    return issue.message === 'Invalid input' ? 'is not a text or a number' : issue.message;
  if (value === 'sprite') return 'is not the kind of an agent that can run inside a sprite';
  return `is not one of ${options.map((option) => quoted(option)).join(', ')}`;
}

function quoted(option: unknown): string {
  return typeof option === 'string' ? quote(option) : String(option);
}

function typeWords(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list: [ … ]',
    object: 'an object: { … }',
    record: 'an object: { … }',
  };
  return words[expected] ?? expected;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shownValue(path: readonly PropertyKey[], value: unknown): string {
  if (isSecretKey(path)) return 'the value';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'the list';
  return typeof value === 'object' && value !== null ? 'the object' : String(value);
}
