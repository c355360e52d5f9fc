/**
 * Calls of Fly's `sprite` command that want an answer: what it prints is for people, so each is followed by a look
 * at what is there, and what it said is told beside it, never concluded from.
 */
import { failureOf } from '../../../contract/failure.ts';
import { isObject, textOr, tryParseObject } from '../../../contract/json-value.ts';
import { quote } from '../../../contract/names.ts';
import { normaliseSprites } from '../../../contract/normalise-sprite.ts';
import { protocolError, type WispAnswer } from '../../../contract/parse.ts';
import { printable } from '../../../contract/printable.ts';
import type { ExecData, Sprite } from '../../../contract/schemas.ts';
import { parseSizeBytes } from '../../../contract/units.ts';
import { SpriteKillError, SpriteStartError, WreckitError } from '../../../errors.ts';
import type { RunResult } from '../../../process/run.ts';
import { saidBy, streamWisp, type WispCall } from '../wisp-call.ts';
import { FLY_LIST_PATH, flyApi, flyDestroy, flySteps } from './fly.ts';
import { type FlyWords, flyWords } from './fly-words.ts';

const MAX_PAGES = 1000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const LOGIN = 'log in: sprite login, or set SPRITES_TOKEN';

type Warn = (text: string) => void;

/** The answer in the shape a wisp program gives. Throws `UNSUPPORTED` before anything is run. */
export async function askFly(call: WispCall, warn: Warn): Promise<WispAnswer> {
  flySteps(call.command, { json: true, engine: call.engine });
  const words = flyWords(call.command);
  const data = await answerOf(call, words, warn);
  return { data, noise: [] };
}

/** Its own failures and those of the command have the same exit codes: both facts, for people. */
export function exitCodeDoubt(exitCode: number | null): string | null {
  if (exitCode !== 1 && exitCode !== 2) return null;
  return `exit code ${exitCode} may be the command's, or a failure of Fly's sprite command, which does not tell them apart`;
}

async function answerOf(call: WispCall, words: FlyWords, warn: Warn): Promise<unknown> {
  switch (words.verb) {
    case 'start':
      return await start(call, words.operands[0] ?? '', warn);
    case 'exec':
      return await exec(call, words, warn);
    case 'kill':
      return await kill(call, words, warn);
    default:
      return { sprites: chosen(await list(call, warn), words) };
  }
}

async function start(call: WispCall, name: string, warn: Warn): Promise<unknown> {
  const there = (await list(call, warn)).find((sprite) => sprite.name === name);
  if (there !== undefined) return { sprite: there, created: false };
  const result = await sprite(call, ['create', '--skip-console', name]);
  const made = (await list(call, warn)).find((other) => other.name === name);
  if (made === undefined) {
    const what =
      result.exitCode === 0 ? 'it said it was made, and it is not in the list' : said(result, call);
    throw (
      authError(result, call) ??
      new SpriteStartError(`start sprite "${name}": ${what}`, { details: facts(result, call) })
    );
  }
  if (result.exitCode !== 0)
    warn(`sprite "${name}" was made, although Fly's sprite command said: ${said(result, call)}`);
  return { sprite: made, created: true };
}

/** All pages. An answer that is an error, or no list, is never "no sprites". */
async function list(call: WispCall, warn: Warn): Promise<Sprite[]> {
  const sprites: Sprite[] = [];
  let path = FLY_LIST_PATH;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await api(call, path);
    const { items, warnings } = normaliseSprites(answer, 'list');
    for (const text of warnings) warn(text);
    sprites.push(...items.map((item) => ({ ...item, engine: 'cloud', labels: labelsOf(item, answer) })));
    const token =
      isObject(answer) && answer.has_more === true ? textOr(answer.next_continuation_token, '') : '';
    if (token === '') return sprites;
    const next = `${FLY_LIST_PATH}?continuation_token=${encodeURIComponent(token)}`;
    if (next === path) throw protocolError('list', 'it gives the same page again and again');
    path = next;
  }
  throw protocolError('list', `it has more than ${MAX_PAGES} pages`);
}

/** `team=web` is the label `team`, `plain` one without a value. */
function labelsOf({ name }: Sprite, answer: unknown): Record<string, string> {
  const all = Array.isArray(answer)
    ? answer
    : isObject(answer) && Array.isArray(answer.sprites)
      ? answer.sprites
      : [];
  const raw: unknown = all.find((item) => isObject(item) && item.name === name);
  const texts =
    isObject(raw) && Array.isArray(raw.labels) ? raw.labels.filter((text) => typeof text === 'string') : [];
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function chosen(sprites: readonly Sprite[], { flags }: FlyWords): Sprite[] {
  const prefix = flags.get('--prefix')?.[0] ?? '';
  const labels = (flags.get('--label') ?? []).map((pair) => pair.split(/=(.*)/s));
  return sprites.filter(
    (item) => item.name.startsWith(prefix) && labels.every(([key = '', value]) => item.labels[key] === value),
  );
}

async function kill(call: WispCall, words: FlyWords, warn: Warn): Promise<unknown> {
  const before = await list(call, warn);
  const names = words.flags.has('--label') ? chosen(before, words).map(({ name }) => name) : words.operands;
  const results = new Map<string, RunResult>();
  for (const name of names) {
    if (before.some((item) => item.name === name)) results.set(name, await sprite(call, flyDestroy(name)));
  }
  if (results.size === 0 && names.length === 0) return { killed: [] };
  const after = new Set((await list(call, warn)).map(({ name }) => name));
  const killed = names.filter((name) => results.has(name) && !after.has(name));
  const left = names.filter((name) => after.has(name));
  const details = { killed, not_killed: names.filter((name) => !killed.includes(name)) };
  if (left.length > 0) {
    const what = left.map((name) => {
      const result = results.get(name);
      const why =
        result === undefined || result.exitCode === 0 ? 'it is still in the list' : said(result, call);
      return `sprite "${name}": ${why}`;
    });
    throw new SpriteKillError(`kill ${what.join('; ')}`, { details, retryable: true });
  }
  if (killed.length === names.length) return { killed };
  const unknown = details.not_killed.map((name) => `sprite ${quote(name)}: there is none of this name`);
  throw new WreckitError('SPRITE_NOT_FOUND', unknown.join('; '), { details });
}

async function exec(call: WispCall, { flags }: FlyWords, warn: Warn): Promise<ExecData> {
  const limit = flags.get('--max-output')?.[0];
  const encoding = flags.get('--encoding')?.[0] === 'base64' ? 'base64' : 'utf8';
  const maxBytes = limit === undefined ? MAX_OUTPUT_BYTES : parseSizeBytes(limit);
  const result = await streamWisp({ ...call, maxBytes }, { stdout: 'capture', stderr: 'capture' });
  const doubt = exitCodeDoubt(result.exitCode);
  if (doubt !== null) warn(`exec: ${doubt}`);
  return {
    session_id: '',
    exit_code: result.exitCode,
    // A second possible source of the exit code is named where there is one.
    exit_code_of: doubt === null ? ['command'] : ['command', 'sprite'],
    signal: null,
    stdout: Buffer.from(result.stdout).toString(encoding),
    stderr: Buffer.from(result.stderr).toString(encoding),
    encoding,
    stdout_truncated_bytes: result.stdoutTruncatedBytes,
    stderr_truncated_bytes: result.stderrTruncatedBytes,
    timed_out: false,
    duration_ms: Math.round(result.durationMs),
  };
}

/** It runs curl, which ends with 0 for an HTTP error: its body is looked at. */
async function api(call: WispCall, path: string): Promise<unknown> {
  const result = await sprite({ ...call, maxBytes: MAX_ANSWER_BYTES }, flyApi(path));
  if (result.exitCode !== 0) {
    throw (
      authError(result, call) ??
      new WreckitError('ENGINE_UNAVAILABLE', `list sprites: ${said(result, call)}`, {
        details: facts(result, call),
        retryable: true,
      })
    );
  }
  if (result.stdoutTruncatedBytes > 0)
    throw protocolError('list', 'it printed more than 8 MiB, which is no answer');
  const text = new TextDecoder().decode(result.stdout);
  const answer = tryParseObject(text);
  if (answer === undefined) {
    const head = printable(text).slice(0, 200);
    throw protocolError('list', `it printed ${head === '' ? 'nothing' : quote(head)}, not one JSON document`);
  }
  const failure = failureOf(answer, 'list', null);
  if (failure === undefined) return answer;
  throw authRefusal(failure.message) ?? failure;
}

async function sprite(call: WispCall, words: readonly string[]): Promise<RunResult> {
  const argv = [...call.program.argv, ...words];
  const { hasOwnExitCode: _, stdin: __, ...rest } = call;
  return await streamWisp({ ...rest, argv }, { stdout: 'capture', stderr: 'capture' });
}

function said(result: RunResult, call: WispCall): string {
  const talk = saidBy(result, call);
  return talk === ''
    ? `it ended with exit code ${result.exitCode} and said no more`
    : talk.replace(/^Error: /, '');
}

function facts(result: RunResult, { program }: WispCall): Record<string, unknown> {
  return { wisp_path: program.path, exit_code: result.exitCode };
}

function authError(result: RunResult, call: WispCall): WreckitError | null {
  return result.exitCode === 0 ? null : authRefusal(said(result, call));
}

/** Its messages are all there is to tell by. */
function authRefusal(text: string): WreckitError | null {
  const code = /no organi[sz]ations configured|not (logged in|authenticated)/i.test(text)
    ? 'AUTH_MISSING'
    : /unauthori[sz]ed|invalid token|forbidden/i.test(text)
      ? 'AUTH_REJECTED'
      : null;
  return code === null ? null : new WreckitError(code, `Fly's sprite command: ${text}`, { hint: LOGIN });
}
