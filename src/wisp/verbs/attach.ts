import { byteOffset } from '../../cli/flag-values.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import type { AttachData, Session } from '../../contract/schemas.ts';
import type { SessionHandle, SpriteEngine } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { calledAs } from '../called-as.ts';
import { createEngine } from '../create-engine.ts';
import { refuseTogether } from '../flags.ts';
import type { WispContext, WispVerb } from '../globals.ts';
import { DEFAULT_DETACH_KEY, parseDetachKey } from '../terminal/detach-key.ts';
import { wakeIfFrozen } from '../wake-if-frozen.ts';

type Options = {
  readonly from?: number;
  readonly readOnly?: boolean;
  readonly last?: boolean;
  readonly detachKey?: string;
};

type Args = [name: string, sessionId: string | undefined];
type Context = WispContext<Options, Args>;

/** A terminal of one's own: the login shell there is. */
const LOGIN_SHELL = ['/bin/sh', '-c', 'command -v bash > /dev/null && exec bash -l; exec sh -l'];

export const verb: WispVerb<Options, Args> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument(
        '[session]',
        'Id of a session with a terminal; without it, a new login shell',
        assertSessionId,
      )
      .option('--last', 'Attach to the newest running session with a terminal')
      .option('--from <offset>', 'Replay output from this byte instead of the screen', byteOffset)
      .option('--read-only', 'Watch only: send no input; Ctrl+C leaves')
      .option('--detach-key <key>', 'Key that detaches, or none; default: ctrl-\\'),
  examples: [
    ['wisp attach demo', 'A login shell; Ctrl+\\ detaches and leaves it running'],
    ['wisp attach demo s1', 'Back to a session: its screen, then live output'],
    ['wisp attach demo --last --read-only', 'Watch the newest one'],
    ['wisp attach demo s1 --json', 'Without a terminal: the session and its latest output'],
  ],
  async run(context) {
    const { options, args, json } = context;
    refuseTogether(
      'attach',
      { SESSION: args[1] !== undefined, '--last': options.last === true },
      'both name a session',
    );
    return json ? await describe(context) : await inTerminal(context);
  },
};

async function inTerminal(context: Context): Promise<VerbResult> {
  const { io, options, args, signal } = context;
  const [name] = args;
  const detachKey = parseDetachKey(options.detachKey ?? DEFAULT_DETACH_KEY);
  const isNew = args[1] === undefined && options.last !== true;
  if (isNew && (options.readOnly === true || options.from !== undefined)) {
    throw new WreckitError('USAGE', 'attach: --read-only and --from are for a session that is there', {
      hint: `name it, or take the newest: ${calledAs(io.env)} attach ${name} --last`,
    });
  }
  const { assertTerminal, LocalTerminal } = await import('../terminal/local-terminal.ts');
  const { takeAndRun } = await import('../terminal/take-and-run.ts');
  const { tellEnd } = await import('../terminal/tell-end.ts');
  assertTerminal(io, 'attach', name);
  const terminal = new LocalTerminal(io);
  const engine = await createEngine(context);
  await using handle = isNew
    ? await loginShell(context, engine, terminal.size())
    : await existing(context, engine);
  const from = isNew ? 0 : options.from;
  const end = await takeAndRun(terminal, {
    handle,
    detachKey,
    readOnly: options.readOnly === true,
    from,
    signal,
  });
  await tellEnd(io, { end, name, sessionId: handle.id });
  return end.kind === 'exit' ? { exitCode: end.exit.exitCode ?? EXIT.failed } : {};
}

async function loginShell(
  { args, io, signal }: Context,
  engine: SpriteEngine,
  size: { cols: number; rows: number },
): Promise<SessionHandle> {
  const { terminalEnv } = await import('../terminal/terminal-env.ts');
  const spec = { command: LOGIN_SHELL, tty: size, stdin: true, env: terminalEnv(io.env) };
  return await engine.openSession(args[0], spec, { signal });
}

async function existing({ args, io, signal }: Context, engine: SpriteEngine): Promise<SessionHandle> {
  const [name, sessionId] = args;
  const chosen = sessionId ?? newest(name, await engine.sessions(name, { signal }), ({ tty }) => tty).id;
  await wakeIfFrozen(engine, name, { signal });
  const handle = await engine.session(name, chosen, { signal });
  if (handle.tty) return handle;
  await handle[Symbol.asyncDispose]();
  throw new WreckitError('SPRITE_ATTACH_FAILED', `attach: session ${chosen} of ${name} has no terminal`, {
    hint: `read what it prints instead: ${calledAs(io.env)} logs ${name} ${chosen} --follow`,
  });
}

function newest(
  name: string,
  sessions: readonly Session[],
  isWanted: (session: Session) => boolean,
): Session {
  const running = sessions.filter((session) => session.state === 'running' && isWanted(session));
  const [first] = running.sort((a, b) => b.created_at.localeCompare(a.created_at));
  if (first !== undefined) return first;
  throw new WreckitError('SESSION_NOT_FOUND', `attach: no session to come back to runs in ${name}`, {
    hint: `open a new one: wisp attach ${name}`,
  });
}

const TAIL_BYTES = 64 * 1024;

/** Without SESSION the newest one that runs, with or without a terminal: no terminal is opened here. */
async function describe(context: Context): Promise<VerbResult> {
  const { args, options, signal } = context;
  const [name, sessionId] = args;
  const engine = await createEngine(context);
  const isWanted = (session: Session): boolean => session.tty || options.last !== true;
  const chosen = sessionId ?? newest(name, await engine.sessions(name, { signal }), isWanted).id;
  await using handle = await engine.session(name, chosen, { signal });
  const stdoutFrom = options.from ?? -TAIL_BYTES;
  const chunks: Uint8Array[] = [];
  let nextOffset: number | null = null;
  for await (const { offset, bytes } of handle.output({ streams: ['stdout'], stdoutFrom, signal })) {
    chunks.push(Buffer.from(bytes));
    nextOffset = offset + bytes.length;
  }
  const { orphanHeadBytes } = await import('../utf8-tail.ts');
  const tail = Buffer.concat(chunks).subarray(-TAIL_BYTES);
  const session = await handle.info();
  const data: AttachData = {
    session,
    output_tail: tail.subarray(orphanHeadBytes(tail)).toString('utf8'),
    next_offset: nextOffset ?? session.stdout_bytes,
    connect: ['wisp', session.tty ? 'attach' : 'logs', name, chosen],
  };
  return { data };
}
