/**
 * Reading what a program called `wisp` printed: tolerant in what it reads, strict in what it concludes
 * (docs/wisp-contract.md, "Reading other people's answers").
 *
 * Taken: one JSON document, alone or among lines of talk; our envelope, `{data:…}`, or the bare data.
 * Concluded: an error body is an error whatever the exit code; no document is `WISP_PROTOCOL`, never
 * "nothing there".
 */
import { WreckitError } from '../errors.ts';
import { failureOf } from './failure.ts';
import { tryParseObject } from './json-value.ts';
import { quote } from './names.ts';
import { printable } from './printable.ts';

export interface WispAnswer {
  /** `data` of the envelope; the whole document where there is no envelope. */
  readonly data: unknown;
  /** Lines that were printed around the document, without control characters. */
  readonly noise: readonly string[];
}

interface FoundDocument {
  readonly value: object;
  readonly noise: string;
}

/** A document is looked for at the lines that begin like one, until so many characters were tried. */
const MAX_TRIED_CHARS = 64 * 1024 * 1024;
const MAX_CANDIDATES = 2000;
const MAX_NOISE_LINES = 20;
const MAX_NOISE_CHARS = 300;

/** `exitCode` helps to name a failure whose own code is unknown. Throws the body's error, or `WISP_PROTOCOL`. */
export function parseWispJson(stdout: Uint8Array, verb: string, exitCode?: number | null): WispAnswer {
  const text = new TextDecoder().decode(stdout);
  const found = findDocument(text);
  if (found === undefined) throw noDocument(verb, text);
  const failure = failureOf(found.value, verb, exitCode ?? null);
  if (failure !== undefined) throw failure;
  return { data: dataOf(found.value), noise: noiseLines(found.noise) };
}

/** `wisp VERB: …`, with what was there instead of what the contract asks for. */
export function protocolError(
  verb: string,
  what: string,
  details: Record<string, unknown> = {},
): WreckitError {
  return new WreckitError('WISP_PROTOCOL', `wisp ${verb}: ${what}`, { details });
}

function noDocument(verb: string, text: string): WreckitError {
  const head = printable(text).slice(0, 200);
  const what = head === '' ? 'it printed nothing' : `it printed ${quote(head)}`;
  return protocolError(verb, `${what}, not one JSON document`, { stdout_head: head });
}

function findDocument(text: string): FoundDocument | undefined {
  const whole = tryParseObject(text);
  if (whole !== undefined) return { value: whole, noise: '' };
  const starts = candidateStarts(text);
  let leftChars = MAX_TRIED_CHARS;
  for (const start of starts) {
    leftChars -= text.length - start;
    if (leftChars < 0) break;
    const value = tryParseObject(text.slice(start));
    if (value !== undefined) return { value, noise: text.slice(0, start) };
  }
  return oneLineDocument(text, starts);
}

/** With talk after it as well, the document must be a line of its own: the last one that is an envelope. */
function oneLineDocument(text: string, starts: readonly number[]): FoundDocument | undefined {
  for (const start of starts.toReversed()) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const value = tryParseObject(text.slice(start, end));
    if (value !== undefined && 'success' in value) {
      return { value, noise: text.slice(0, start) + text.slice(end) };
    }
  }
  return undefined;
}

function candidateStarts(text: string): number[] {
  const starts: number[] = [];
  for (const match of text.matchAll(/^[ \t]*[[{]/gm)) {
    starts.push(match.index);
    if (starts.length === MAX_CANDIDATES) break;
  }
  return starts;
}

function dataOf(document: object): unknown {
  if (Array.isArray(document)) return document;
  return 'data' in document && document.data !== undefined && document.data !== null
    ? document.data
    : document;
}

function noiseLines(noise: string): string[] {
  const lines: string[] = [];
  for (const raw of noise.split('\n')) {
    const line = printable(raw).trim().slice(0, MAX_NOISE_CHARS);
    if (line !== '') lines.push(line);
    if (lines.length === MAX_NOISE_LINES) break;
  }
  return lines;
}
