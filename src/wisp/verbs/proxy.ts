import { collected } from '../../cli/flag-values.ts';
import { tunnelText } from '../../cli/sprite-text.ts';
import { successDocument } from '../../contract/envelope.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { Tunnel } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { fired } from '../../process/abort.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';
import { assertDistinct, type PortPair, portPair } from '../proxy/port-pair.ts';
import type { OpenTunnel } from '../proxy/tunnel.ts';

/** The same complaint is not made more often than this. */
const COMPLAINT_MS = 1_000;

const NOTES = `
Only programs on this machine can connect (127.0.0.1). A connection wakes the sprite and keeps it awake while
open; a proxy waiting for one does not. Stop it with Ctrl+C.`;

export const verb: WispVerb<Record<never, never>, [name: string, pairs: PortPair[]]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<ports...>', 'REMOTE or LOCAL:REMOTE; LOCAL 0 picks a free port', collected(portPair))
      .addHelpText('after', NOTES),
  examples: [
    ['wisp proxy demo 8080', 'Forward http://127.0.0.1:8080 to port 8080 of "demo"'],
    ['wisp proxy demo 3000:80 0:5432', 'Forward local port 3000 to 80, and any free port to 5432'],
    ['wisp proxy demo 0:8080 --json', 'Print the chosen port as JSON, then keep running'],
  ],
  async run(context) {
    const { args, io, json, signal, warn } = context;
    const [sprite, pairs] = args;
    assertDistinct(pairs);
    const { ports } = await createEngine(context);
    if (ports === undefined) throw new WreckitError('UNSUPPORTED', 'proxy: this engine has no tunnels');
    // Refused now rather than at the first connection; it is not woken for that.
    await ports.list(sprite, { signal });
    const { openTunnel } = await import('../proxy/tunnel.ts');
    const onProblem = complaints(warn);
    const opened: OpenTunnel[] = [];
    try {
      for (const pair of pairs) opened.push(await openTunnel({ ports, sprite, pair, signal, onProblem }));
      const tunnels = opened.map((tunnel, index) => tunnelOf(tunnel, pairs[index]?.remote ?? 0));
      const text = json
        ? `${JSON.stringify(successDocument('proxy', { sprite, tunnels }))}\n`
        : tunnelText(sprite, tunnels);
      await io.stdout.write(text);
      await fired(signal);
      return {};
    } finally {
      for (const tunnel of opened) await tunnel[Symbol.asyncDispose]();
    }
  },
};

function tunnelOf({ address, port }: OpenTunnel, remote: number): Tunnel {
  const url = `http://${address}:${port}`;
  return { url, local_address: address, local_port: port, remote_port: remote };
}

function complaints(warn: (text: string) => Promise<void>): (text: string) => void {
  const told = new Map<string, number>();
  return (text) => {
    const now = performance.now();
    if (now - (told.get(text) ?? -COMPLAINT_MS) < COMPLAINT_MS) return;
    told.set(text, now);
    void warn(text);
  };
}
