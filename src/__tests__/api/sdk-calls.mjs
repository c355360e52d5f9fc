/**
 * What the SDK offers, by its own declarations, and which of it was called: each public method of each class in its
 * `.d.ts` files is wrapped with one that notes the call and does nothing else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Returns a function that tells what was not called so far, as sorted `Class.method`. */
export async function watchCalls(sdkModule) {
  const dir = dirname(fileURLToPath(sdkModule));
  const uncalled = new Set();
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.d.ts'))) {
    const module = await import(pathToFileURL(join(dir, name.replace('.d.ts', '.js'))).href);
    for (const [className, methods] of declared(readFileSync(join(dir, name), 'utf8'))) {
      const prototype = module[className]?.prototype ?? unexported(module, methods);
      for (const method of methods) wrap(prototype, `${className}.${method}`, method, uncalled);
    }
  }
  return () => [...uncalled].sort();
}

/** The public methods of each class in a file of declarations. */
function declared(text) {
  const found = [];
  let methods = null;
  for (const line of text.split('\n')) {
    const className = /^(?:export )?declare class (\w+)/.exec(line)?.[1];
    if (className !== undefined) {
      methods = new Set();
      found.push([className, methods]);
    }
    const method = /^ {4}(?:static )?(\w+|\[Symbol\.asyncIterator\])(?:<[^(]*>)?\(/.exec(line)?.[1];
    if (line === '}') methods = null;
    else if (method !== undefined && method !== 'constructor') methods?.add(method);
  }
  return found;
}

/** A class that others of its module extend. */
function unexported(module, methods) {
  const bases = Object.values(module).map((Class) => Object.getPrototypeOf(Class.prototype ?? Object));
  const base = bases.find((each) => [...methods].every((method) => keyOf(method) in (each ?? {})));
  if (base === undefined) throw new Error(`no class has the methods ${[...methods]}`);
  return base;
}

function keyOf(method) {
  return method === '[Symbol.asyncIterator]' ? Symbol.asyncIterator : method;
}

function wrap(prototype, name, method, uncalled) {
  const key = keyOf(method);
  // A static one is found on the class.
  const owner = Object.hasOwn(prototype, key) ? prototype : prototype.constructor;
  const original = owner[key];
  if (typeof original !== 'function') throw new Error(`the SDK declares ${name}, but has it not`);
  uncalled.add(name);
  owner[key] = function (...args) {
    uncalled.delete(name);
    return original.apply(this, args);
  };
}
