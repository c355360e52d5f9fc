/** What went wrong between Ax and a provider, in a sentence. Ax's own messages may hold whole requests. */
import { printable } from '../../contract/printable.ts';

const MAX_REASON_CHARS = 300;
const TOO_LONG =
  /context[ _](?:length|window)|too long|too many tokens|maximum (?:context|prompt)|prompt is too|input length/i;

export interface ModelFault {
  readonly message: string;
  readonly hint: string | null;
}

export function modelFault(error: unknown): ModelFault {
  const status = statusOf(error);
  const reason = reasonOf(error);
  if (status === 401 || status === 403)
    return {
      // Ax has one error for both and keeps no number.
      message: `the model's provider refused the key (HTTP 401 or 403)${reason}`,
      hint: 'check the key, and that it is for this provider',
    };
  if (status === 429)
    return {
      message: `the model's provider says there were too many requests: HTTP 429${reason}`,
      hint: 'wait, then run it again',
    };
  if (status === 404)
    return {
      message: `the model's provider does not know the model or the URL: HTTP 404${reason}`,
      hint: 'check model and baseUrl of the agent',
    };
  if (status !== undefined)
    return { message: `the model's provider answered HTTP ${status}${reason}`, hint: null };
  return {
    message: `asking the model failed${reason === '' ? '' : reason}`,
    hint: 'check baseUrl of the agent, and that the provider can be reached',
  };
}

/** The connection broke in the middle of an answer, or before it. */
export function isCutStream(error: unknown): boolean {
  return (
    causes(error).some(({ name }) => /Network|StreamTerminated/.test(name)) && statusOf(error) === undefined
  );
}

/** The conversation is more than the model takes. */
export function isTooLong(error: unknown): boolean {
  if (causes(error).some(({ name }) => name === 'AxTokenLimitError')) return true;
  const status = statusOf(error);
  return (status === 400 || status === 413) && TOO_LONG.test(bodyOf(error));
}

function statusOf(error: unknown): number | undefined {
  for (const each of causes(error)) {
    if ('status' in each && typeof each.status === 'number') return each.status;
    if (each.name === 'AxAIServiceAuthenticationError') return 401;
  }
  return undefined;
}

function bodyOf(error: unknown): string {
  const bodies = causes(error).flatMap((each) =>
    'responseBody' in each ? [JSON.stringify(each.responseBody) ?? ''] : [],
  );
  return [...bodies, ...causes(error).map(({ message }) => message)].join('\n');
}

/** What the provider itself said, else the first line of the innermost error. */
function reasonOf(error: unknown): string {
  const said = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(bodyOf(error))?.[1]?.replace(/\\+"/g, '"');
  const inner = causes(error).at(-1)?.message.split('\n')[0] ?? '';
  const reason = printable(said ?? (statusOf(error) === undefined ? inner : '')).slice(0, MAX_REASON_CHARS);
  return reason === '' ? '' : `: ${reason}`;
}

function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let each = error; each instanceof Error && found.length < 8; each = each.cause) found.push(each);
  return found;
}
