/**
 * Material for an agent, read from this machine: files, directories, pipes, standard input. It goes to the
 * model's provider, so the same names stay behind as when a project is pushed (src/sync/secrets.ts).
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { formatBytes } from '../contract/units.ts';
import { errnoOf, WreckitError } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import { bytePathOfText, showPath } from '../sync/byte-path.ts';
import { planPush } from '../sync/push-plan.ts';
import { SECRET_PEEK_BYTES, type SecretVerdict, secretVerdict } from '../sync/secrets.ts';
import type { ContextDocument } from './rlm/context-documents.ts';
import { looksBinary } from './rlm/file-text.ts';

export interface ContextSources {
  /** Paths, relative ones from `cwd`; `-` is standard input. */
  readonly paths: readonly string[];
  readonly cwd: string;
  /** The project: some names are secret only at its top. */
  readonly root: string;
  /** Not read from directories: patterns as in .gitignore. */
  readonly exclude?: readonly string[] | undefined;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadContext {
  readonly documents: readonly ContextDocument[];
  /** Files of directories that were not taken, and why, for people. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/** All of it is held in the memory of a sprite's interpreter, twice for a moment. */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_DOCUMENTS = 5000;

/** Throws `USAGE` for what is not there, no text or too much, and `POLICY_DENIED` for a secret named outright. */
export async function readContext(sources: ContextSources): Promise<ReadContext> {
  return await new ContextReader(sources).read();
}

class ContextReader {
  readonly #sources: ContextSources;
  readonly #documents: ContextDocument[] = [];
  readonly #leftOut: { name: string; reason: string }[] = [];
  #sizeBytes = 0;

  constructor(sources: ContextSources) {
    this.#sources = sources;
  }

  async read(): Promise<ReadContext> {
    const { paths, cwd, stdin } = this.#sources;
    for (const given of new Set(paths)) {
      if (given === '-') this.#add('stdin', await this.#bytes('standard input', stdin), true);
      else await this.#path(path.resolve(cwd, given), given);
    }
    return { documents: this.#documents, leftOut: this.#leftOut };
  }

  async #path(file: string, given: string): Promise<void> {
    const stat = this.#guarded(given, () => fs.statSync(file));
    if (stat.isDirectory()) return await this.#directory(file, given);
    const verdict = this.#secret(file);
    if (verdict !== null) {
      throw new WreckitError(
        'POLICY_DENIED',
        `--context: ${quote(given)} ${verdict.reason}, which stays on this machine`,
        {
          hint: 'give a copy without the secrets, under another name',
          details: { path: given, rule: verdict.rule },
        },
      );
    }
    this.#add(given, await this.#bytes(given, fs.createReadStream(file)), true);
  }

  /** What a push of it would send. */
  async #directory(dir: string, given: string): Promise<void> {
    const { exclude, signal } = this.#sources;
    const plan = await planPush({ root: dir, exclude, signal });
    for (const { path: name, reason } of plan.keptBack) this.#leave(path.join(given, showPath(name)), reason);
    for (const { path: name, kind } of plan.entries) {
      const shown = path.join(given, showPath(name));
      if (kind !== 'file') {
        this.#leave(shown, 'is a symbolic link');
        continue;
      }
      const file = path.join(dir, showPath(name));
      const verdict = this.#secret(file);
      if (verdict !== null) this.#leave(shown, verdict.reason);
      else this.#add(shown, await this.#bytes(shown, fs.createReadStream(file)), false);
    }
  }

  #add(name: string, bytes: Uint8Array, isNamed: boolean): void {
    const isText = !looksBinary(bytes);
    if (!isText && isNamed) {
      throw new WreckitError('USAGE', `--context: ${quote(name)} is not text`, {
        hint: 'give a text made of it, or put the file into the project and name it in the prompt',
      });
    }
    if (this.#documents.length >= MAX_DOCUMENTS) throw tooMuch(`more than ${MAX_DOCUMENTS} files`);
    if (isText) this.#documents.push({ name, text: decodeUtf8(bytes) });
    else this.#leave(name, 'is not text');
  }

  #leave(name: string, reason: string): void {
    this.#leftOut.push({ name, reason });
  }

  async #bytes(given: string, source: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of source) {
        this.#sources.signal?.throwIfAborted();
        const bytes = Buffer.from(chunk as Uint8Array);
        this.#sizeBytes += bytes.byteLength;
        if (this.#sizeBytes > MAX_BYTES) throw tooMuch(`more than ${formatBytes(MAX_BYTES)}`);
        chunks.push(bytes);
      }
    } catch (error) {
      throw unreadable(given, error);
    }
    return Buffer.concat(chunks);
  }

  /** By the name it was given, and by that of the file a link leads to. */
  #secret(file: string): SecretVerdict | null {
    const { root } = this.#sources;
    const peek = (): string | null => peekAt(file);
    for (const each of new Set([file, realPath(file)])) {
      const inside = path.relative(root, each);
      const name = inside.startsWith('..') ? each.slice(1) : inside;
      const verdict = secretVerdict(bytePathOfText(name), peek);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  #guarded<T>(given: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw unreadable(given, error);
    }
  }
}

function peekAt(file: string): string | null {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(file, 'r');
    const buffer = Buffer.alloc(SECRET_PEEK_BYTES);
    return buffer.subarray(0, fs.readSync(descriptor, buffer)).toString('latin1');
  } catch {
    return null; // what can't be looked at stays
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** A pipe of the shell (`<(git diff)`) has none. */
function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

function unreadable(given: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (error instanceof WreckitError || errno === undefined) return error;
  return new WreckitError('USAGE', `--context: ${quote(given)} can't be read: ${errno}`, {
    hint: 'give files, directories, or "-" for standard input; repeat the flag for more',
    cause: error,
  });
}

function tooMuch(what: string): WreckitError {
  return new WreckitError('USAGE', `--context: it is ${what}, which is too much`, {
    hint: 'give less of it, or put the material into the project and name it in the prompt',
  });
}
