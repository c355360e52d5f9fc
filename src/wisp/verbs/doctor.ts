import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { chosenEngine } from '../engine-choice.ts';
import type { WispContext, WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp doctor', 'Check this machine and print the fix of each fault']],
  async run(context) {
    const checks = await checksOf(context);
    return { data: { checks }, text: checks.map(checkText).join('\n') };
  },
};

/** What keeps a cloud from being asked at all is a finding, too. */
async function checksOf(context: WispContext): Promise<Check[]> {
  const { io, globals, signal } = context;
  try {
    return await (await createEngine(context)).doctor({ signal });
  } catch (thrown) {
    if (signal.aborted || chosenEngine(io.env, globals).name === 'local') throw thrown;
    const { message, hint } = toWreckitError(thrown);
    return [{ name: 'api', status: 'fail', message, fix: hint }];
  }
}

const MARKS: Readonly<Record<Check['status'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

function checkText({ name, status, message, fix }: Check): string {
  const line = `${MARKS[status]}  ${name}: ${message}`;
  return fix === null || status === 'ok' ? line : `${line}\n      fix: ${fix}`;
}
