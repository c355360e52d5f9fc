import type { Check } from '../../contract/schemas.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp doctor', 'checks this machine and prints what mends each fault']],
  async run(context) {
    const checks = await (await createEngine(context)).doctor({ signal: context.signal });
    return { data: { checks }, text: checks.map(checkText).join('\n') };
  },
};

const MARKS: Readonly<Record<Check['status'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

function checkText({ name, status, message, fix }: Check): string {
  const line = `${MARKS[status]}  ${name}: ${message}`;
  return fix === null || status === 'ok' ? line : `${line}\n      fix: ${fix}`;
}
