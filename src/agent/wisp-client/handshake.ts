/**
 * Asks a program that is not the bundled one, once, whether it speaks the wisp contract. There are other
 * programs called `wisp`; a list of their help text must not become "no sprites".
 */

import { quote } from '../../contract/names.ts';
import { normaliseVersion } from '../../contract/normalise.ts';
import { PROTOCOL_VERSION } from '../../contract/protocol.ts';
import type { VersionData } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { readHandshake, writeHandshake } from './handshake-cache.ts';
import { callWisp } from './wisp-call.ts';
import { incompatible, type WispProgram } from './wisp-program.ts';

export interface HandshakeOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 64 * 1024;

/**
 * What the program says of itself, when it may be used; null of one that is not asked. Throws `WISP_INCOMPATIBLE` naming what it is instead, `TIMEOUT`
 * when it does not answer. The bundled wisp is part of this package and not asked.
 */
export async function assertCompatible(
  program: WispProgram,
  options: HandshakeOptions,
): Promise<VersionData | null> {
  if (program.origin === 'bundled' || program.dialect === 'fly') return null;
  const known = readHandshake(program.path, options.env);
  const version = known ?? (await askVersion(program, options));
  if (version.protocol !== PROTOCOL_VERSION) {
    const what = `it is ${version.engine} ${version.version} and speaks protocol ${version.protocol}, not ${PROTOCOL_VERSION}`;
    throw incompatible(program.path, what, { engine: version.engine, protocol: version.protocol });
  }
  if (known === undefined) writeHandshake(program.path, options.env, version);
  return version;
}

async function askVersion(program: WispProgram, { env, signal }: HandshakeOptions): Promise<VersionData> {
  const command = { words: ['version'], args: [] };
  try {
    const answer = await callWisp({
      program,
      command,
      env,
      signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    const version = normaliseVersion(answer.data);
    if (version !== undefined) return version;
    const shown = quote(JSON.stringify(answer.data));
    throw incompatible(program.path, `it is another program, asked for its version it answered ${shown}`);
  } catch (thrown) {
    throw anotherProgram(program, thrown);
  }
}

/** Nonsense at this point means: it is no wisp. Errors that are its own answer stay what they are. */
function anotherProgram(program: WispProgram, thrown: unknown): unknown {
  if (!(thrown instanceof WreckitError) || thrown.code !== 'WISP_PROTOCOL') return thrown;
  const what = thrown.message.replace('wisp version: ', 'it is another program, asked for its version ');
  return incompatible(program.path, what, thrown.details);
}
