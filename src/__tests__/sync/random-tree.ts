/** Random trees and random edits of them, for fast-check. */
import fs from 'node:fs';
import fc from 'fast-check';
import { hostPath, parentOf } from '../../sync/byte-path.ts';
import { lstatOf } from '../../sync/host-state.ts';

/** Awkward on purpose: spaces, newline, bytes that are not UTF-8, a leading dash, quotes, a glob, `.sprite`. */
const NAMES = [
  'a',
  'b',
  'c d',
  '-x',
  'n\nl',
  '\xff\xfe',
  '\xc3\xa4',
  'q\'"',
  '*',
  'a.sprite',
  ':z',
  '\\',
] as const;

const name = fc.constantFrom(...NAMES);
/** Mostly the same few, so that both sides meet. */
export const treePath = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c d', 'd/a', 'd/\xff\xfe', 'd/e/f') },
  { weight: 2, arbitrary: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')) },
);

const lines = fc.array(fc.constantFrom('one', 'two', 'three', '', 'ä'), { maxLength: 12 });
/** Long enough that edits at both ends are apart. */
const LONG = Array.from({ length: 30 }, (_, index) => `line ${index}`);
const content = fc.oneof(
  { weight: 4, arbitrary: lines.map((text) => Buffer.from(text.map((line) => `${line}\n`).join(''))) },
  { weight: 3, arbitrary: fc.constant(Buffer.from(`${LONG.join('\n')}\n`)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
);

export type Edit =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly content: Buffer;
      readonly isExecutable: boolean;
    }
  | { readonly kind: 'append'; readonly path: string; readonly content: Buffer }
  | { readonly kind: 'line'; readonly path: string; readonly at: number; readonly text: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'mode'; readonly path: string; readonly isExecutable: boolean }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string };

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      path: treePath,
      content,
      isExecutable: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), path: treePath, content }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('line' as const),
      path: treePath,
      at: fc.nat(30),
      text: fc.constantFrom('x', 'y'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), path: treePath, target: name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), path: treePath }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('mode' as const), path: treePath, isExecutable: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rename' as const), path: treePath, to: treePath }) },
);

export const edits = fc.array(edit, { maxLength: 14 });

/** As a program in there would: what is in the way of a file is removed first. */
export function applyEdits(root: string, list: readonly Edit[]): void {
  for (const item of list) applyEdit(root, item);
}

function applyEdit(root: string, item: Edit): void {
  const at = hostPath(root, item.path);
  switch (item.kind) {
    case 'write':
      makeRoom(root, item.path);
      fs.writeFileSync(at, item.content);
      fs.chmodSync(at, item.isExecutable ? 0o755 : 0o644);
      return;
    case 'append':
      if (statOf(root, item.path)?.isFile() === true) fs.appendFileSync(at, item.content);
      return;
    case 'line':
      if (statOf(root, item.path)?.isFile() === true) changeLine(at, item.at, item.text);
      return;
    case 'link':
      makeRoom(root, item.path);
      fs.symlinkSync(Buffer.from(item.target, 'latin1'), at);
      return;
    case 'delete':
      if (statOf(root, item.path) !== undefined) fs.rmSync(at, { recursive: true, force: true });
      return;
    case 'mode':
      if (statOf(root, item.path)?.isFile() === true) fs.chmodSync(at, item.isExecutable ? 0o755 : 0o644);
      return;
    case 'rename':
      if (statOf(root, item.path) === undefined || `${item.to}/`.startsWith(`${item.path}/`)) return;
      if (`${item.path}/`.startsWith(`${item.to}/`)) return;
      makeRoom(root, item.to);
      if (statOf(root, item.path) !== undefined) fs.renameSync(at, hostPath(root, item.to));
  }
}

function changeLine(at: string | Buffer, index: number, text: string): void {
  const old = fs.readFileSync(at, 'latin1').split('\n');
  fs.writeFileSync(at, old.map((line, other) => (other === index ? text : line)).join('\n'), 'latin1');
}

function makeRoom(root: string, name: string): void {
  for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1)) {
    const parent = name.slice(0, end);
    if (lstatOf(root, parent)?.isDirectory() !== true) {
      fs.rmSync(hostPath(root, parent), { recursive: true, force: true });
      fs.mkdirSync(hostPath(root, parent));
    }
  }
  fs.rmSync(hostPath(root, name), { recursive: true, force: true });
}

function isBehindLink(root: string, name: string): boolean {
  for (let dir = parentOf(name); dir !== ''; dir = parentOf(dir)) {
    if (lstatOf(root, dir)?.isSymbolicLink() === true) return true;
  }
  return false;
}

function statOf(root: string, name: string): fs.Stats | undefined {
  return isBehindLink(root, name) ? undefined : lstatOf(root, name);
}
