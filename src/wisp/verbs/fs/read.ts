import { assertSpriteName, quote } from '../../../contract/names.ts';
import { formatBytes } from '../../../contract/units.ts';
import { WreckitError } from '../../../errors.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { textOrBase64 } from '../../text-or-base64.ts';

/** One JSON document is held in memory, here and by whoever reads it. */
const MAX_JSON_BYTES = 8 * 1024 * 1024;

export const verb: WispVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home'),
  examples: [
    ['wisp fs read demo /etc/hostname', 'The exact bytes'],
    ['wisp fs read demo project/out.bin > out.bin', 'A file of any size'],
  ],
  async run(context) {
    const { args, io, json, signal } = context;
    const [name, path] = args;
    const content = (await createEngine(context)).files.read(name, path, { signal });
    if (json) return { data: { path, ...(await readWhole(content, path)) } };
    for await (const chunk of content) {
      if (!(await io.stdout.write(chunk))) break;
    }
    return {};
  },
};

async function readWhole(content: AsyncIterable<Uint8Array>, path: string) {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const chunk of content) {
    totalBytes += chunk.length;
    if (totalBytes > MAX_JSON_BYTES) {
      throw new WreckitError(
        'USAGE',
        `read ${quote(path)}: it has more than ${formatBytes(MAX_JSON_BYTES)}`,
        {
          hint: 'read it without --json: the bytes then come on stdout',
        },
      );
    }
    chunks.push(chunk);
  }
  const { text, encoding } = textOrBase64(Buffer.concat(chunks));
  return { size_bytes: totalBytes, content: text, encoding };
}
