import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { printableName } from '../../archive/tar-member.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import type { SpriteEngine, Waiting } from '../../engine/engine.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import type { WispContext, WispVerb } from '../globals.ts';

type Args = [name: string, source: string, target: string];

/**
 * A directory's contents go into DST (as with `rsync SRC/ DST`), a file becomes DST or goes into it where DST
 * is a directory (as with `cp`), `-` is a tar stream on stdin, unpacked into DST.
 */
export const verb: WispVerb<Record<never, never>, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<src>', 'Local file or directory; - for a tar stream on stdin')
      .argument('<dst>', 'Path in the sprite, relative to its home'),
  examples: [
    [
      'wisp push demo ./src /home/sprite/project/src',
      'The contents of ./src, into a directory of the sprite',
    ],
    ['wisp push demo notes.txt project/', 'One file'],
    ['git archive HEAD | wisp push demo - project', 'A tar stream'],
  ],
  async run(context) {
    const [name, source, target] = context.args;
    const { io, signal } = context;
    if (source === '-') {
      const engine = await createEngine(context);
      const counter = new Counter();
      await engine.files.unpack(name, target, counter.count(io.stdin), { signal });
      return { data: { path: target, size_bytes: counter.sizeBytes } };
    }
    const from = resolve(context.cwd, source);
    const isDirectory = statOf(from, source).isDirectory();
    const engine = await createEngine(context);
    return isDirectory ? await pushDirectory(context, engine, from) : await pushFile(context, engine, from);
  },
};

async function pushDirectory(context: WispContext<object, Args>, engine: SpriteEngine, from: string) {
  const [name, source, target] = context.args;
  const { signal } = context;
  const { tarDirectory } = await import('../../archive/tar-directory.ts');
  const { writeTar } = await import('../../archive/tar-writer.ts');
  const skipped: string[] = [];
  const onSkipped = (at: Buffer, reason: string) => {
    skipped.push(`${printableName(at)} ${reason}`);
  };
  const counter = new Counter();
  const tar = writeTar(tarDirectory(from, { signal, onSkipped }));
  await engine.files.unpack(name, target, counter.count(tar), { signal });
  for (const what of skipped) await context.warn(`left out: ${what}`);
  return {
    data: { path: target, size_bytes: counter.sizeBytes, skipped },
    text: `pushed ${source} to ${target}`,
  };
}

async function pushFile(context: WispContext<object, Args>, engine: SpriteEngine, from: string) {
  const [name, source, target] = context.args;
  const { signal } = context;
  const inside = `${target.replace(/\/+$/, '')}/${basename(from)}`;
  const send = (path: string) => sendFile(engine, name, from, path, { signal });
  if (target.endsWith('/')) return pushed(source, inside, await send(inside));
  try {
    return pushed(source, target, await send(target));
  } catch (thrown) {
    const isDirectory = thrown instanceof WreckitError && thrown.details.errno === 'EISDIR';
    if (!isDirectory) throw thrown;
    return pushed(source, inside, await send(inside));
  }
}

async function sendFile(engine: SpriteEngine, name: string, from: string, path: string, waiting: Waiting) {
  const { createReadStream } = await import('node:fs');
  const mode = (statOf(from, from).mode & 0o777).toString(8).padStart(4, '0');
  return await engine.files.write(name, path, createReadStream(from), { ...waiting, mode });
}

function pushed(source: string, path: string, { sizeBytes }: { sizeBytes: number }) {
  return { data: { path, size_bytes: sizeBytes, skipped: [] }, text: `pushed ${source} to ${path}` };
}

function statOf(path: string, shown: string) {
  const hint = 'give a file or directory of this machine that you may read, or - for a tar stream on stdin';
  try {
    const stat = statSync(path);
    if (stat.isFile() || stat.isDirectory()) return stat;
    throw new WreckitError('PATH_INVALID', `push ${quote(shown)}: it is neither a file nor a directory`, {
      hint,
    });
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === undefined) throw thrown;
    throw new WreckitError('PATH_INVALID', `push ${quote(shown)}: it can't be read: ${errno}`, {
      hint,
      details: { path: shown, errno },
      cause: thrown,
    });
  }
}

class Counter {
  sizeBytes = 0;

  async *count(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.sizeBytes += chunk.length;
      yield chunk;
    }
  }
}
