/** What stands for a `{parameter}` of a path, decoded and checked before anything is made of it. */
import { assertSessionId, assertSpriteName, quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import { HttpRefusal } from './http-refusal.ts';
import type { PathParams } from './route.ts';

const CHECKPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SERVICE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

const CHECKS: Readonly<Record<keyof PathParams, (text: string) => string>> = {
  name: assertSpriteName,
  session_id: assertSessionId,
  checkpoint_id: (text) => {
    if (CHECKPOINT_ID.test(text)) return text;
    throw new WreckitError('CHECKPOINT_NOT_FOUND', `checkpoint: ${quote(text)} is not a checkpoint id`);
  },
  service: (text) => {
    if (SERVICE_NAME.test(text)) return text;
    throw new WreckitError('USAGE', `service: ${quote(text)} is not a service's name`, {
      hint: 'use 1 to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
    });
  },
  task: (text) => {
    if (SERVICE_NAME.test(text)) return text;
    throw new WreckitError('USAGE', `task: ${quote(text)} is not a task's name`, {
      hint: 'use 1 to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
    });
  },
};

const NONE: PathParams = { name: '', session_id: '', checkpoint_id: '', service: '', task: '' };

/** Throws what the check of the parameter throws. */
export function checkParams(found: Readonly<Record<string, string>>): PathParams {
  const params: Record<keyof PathParams, string> = { ...NONE };
  for (const [key, text] of Object.entries(found)) {
    if (isParam(key)) params[key] = CHECKS[key](text);
  }
  return params;
}

function isParam(key: string): key is keyof PathParams {
  return Object.hasOwn(CHECKS, key);
}

/** The decoded segments of a path. Throws `HttpRefusal` 400 for what no client of ours would send. */
export function pathSegments(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        throw new HttpRefusal(400, 'bad_request', `path: ${quote(segment)} is not percent-encoded text`);
      }
    });
}
