import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { chosenEngine, type EngineChoice } from '../engine-choice.ts';
import type { WispContext, WispVerb } from '../globals.ts';

interface Account {
  readonly isolation: string;
  readonly cost: string;
  readonly api_url: string | null;
  readonly token_origin: string | null;
  readonly lacks: readonly string[];
}

const WHY: Readonly<Record<string, string>> = {
  '--engine': 'the flag --engine says so',
  WISP_ENGINE: 'the variable WISP_ENGINE says so',
  default: 'the default: sprites are made on this machine',
};

export const verb: WispVerb = {
  define: (command) => command,
  examples: [
    ['wisp engine', 'Which engine is used and why, its isolation, cost and needs'],
    ['wisp engine --engine cloud --json', 'The same for the cloud, as JSON'],
  ],
  async run(context) {
    const choice = chosenEngine(context.io.env, context.globals);
    const [account, needs] = await Promise.all([accountOf(choice, context), needsOf(context)]);
    const data = {
      engine: choice.name,
      origin: choice.origin,
      why: WHY[choice.origin] ?? '',
      ...account,
      needs,
    };
    return { data, text: textOf(data) };
  },
};

async function accountOf(choice: EngineChoice, { io }: WispContext): Promise<Account> {
  if (choice.name === 'local') {
    const { versionData } = await import('../../engine/local/version-data.ts');
    const levels = versionData().isolation.join(', ');
    return {
      isolation: `${levels}: an OCI runtime with namespaces, seccomp, cgroups and a file system of its own; the kernel is shared`,
      cost: 'nothing: memory, processor time and disk of this machine',
      api_url: null,
      token_origin: null,
      lacks: [],
    };
  }
  const { apiTarget, findCredential } = await import('../cloud/access.ts');
  const { CLOUD_LACKS, cloudVersion } = await import('../../engine/cloud/cloud-version.ts');
  const target = apiTarget(io.env);
  const [level] = cloudVersion(target).isolation;
  const credential = await findCredential(io.env, target).catch(() => null);
  return {
    isolation:
      level === undefined
        ? 'what the server gives: each sprite says its own (info)'
        : `${level}: as the provider says, each sprite is a virtual machine; not verified from here`,
    cost: target.isLocal
      ? 'what the server on this machine makes its sprites of'
      : `what the organization of the token pays at ${target.url}: a sprite costs while it runs, and its disk until it is killed`,
    api_url: target.url,
    token_origin: credential?.origin ?? null,
    lacks: CLOUD_LACKS,
  };
}

/** What keeps the engine from being made is what it needs most. */
async function needsOf(context: WispContext): Promise<Check[]> {
  try {
    return await (await createEngine(context)).doctor({ signal: context.signal });
  } catch (thrown) {
    context.signal.throwIfAborted();
    const { message, hint } = toWreckitError(thrown);
    return [{ name: 'engine', status: 'fail', message, fix: hint }];
  }
}

type Data = Account & { readonly engine: string; readonly why: string; readonly needs: readonly Check[] };

function textOf({
  engine,
  why,
  isolation,
  cost,
  api_url: url,
  token_origin: origin,
  lacks,
  needs,
}: Data): string {
  const lines = [
    ['engine', `${engine}: ${why}`],
    ['isolation', isolation],
    ['cost', cost],
    ...(url === null
      ? []
      : [
          ['server', url],
          ['token', origin ?? 'none'],
        ]),
    ...(lacks.length === 0 ? [] : [['lacks', lacks.join(', ')]]),
    ...needs.map(({ name, status, message, fix }) => [
      'needs',
      `${status === 'fail' ? 'FAIL' : status} ${name}: ${message}${fix === null || status === 'ok' ? '' : ` (fix: ${fix})`}`,
    ]),
  ];
  return lines.map(([name = '', value]) => `${name.padEnd(10)} ${value}`).join('\n');
}
