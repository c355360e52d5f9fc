/** Commands in sprites of the cloud: started, found again, ended. */
import { isObject, numberOr, textOr, textsOf } from '../../contract/json-value.ts';
import { assertSessionId, assertSpriteName, quote } from '../../contract/names.ts';
import type { Session } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import type { KillSessionResult, SessionExit, SessionSpec, SignalSpec, Waiting } from '../engine.ts';
import { type ApiChannel, openChannel } from './api-channel.ts';
import { type ApiClient, apiPath } from './api-client.ts';
import { CloudSession, sessionOfInfo } from './cloud-session.ts';
import { execEvent, type SessionInfoFrame } from './exec-frames.ts';
import { execRoute, goDuration } from './exec-route.ts';
import type { Attached, Positions } from './output-reader.ts';
import { INSIDE_NAME } from './run-inside.ts';
import type { SessionLedger } from './session-ledger.ts';

export interface CloudSessionsOptions {
  readonly client: ApiClient;
  readonly ledger: SessionLedger;
  readonly onNotice: (text: string) => void;
  /** How long a lost connection is tried again without any progress. */
  readonly resumeMs?: number | undefined;
}

export interface OpenOptions extends Waiting {
  /** A script of the engine's own: it is not in the list of sessions. */
  readonly isInternal?: boolean;
}

/** The first frame tells which session it is; the API promises it within this. */
const INFO_TIMEOUT_MS = 30_000;
const DEFAULT_GRACE_MS = 10_000;
/** For a command whose time is up where the server can't see to it: from TERM to KILL. */
const TIMEOUT_GRACE_MS = 3_000;

export class CloudSessions {
  readonly #options: CloudSessionsOptions;

  constructor(options: CloudSessionsOptions) {
    this.#options = options;
  }

  /** Throws `SPRITE_NOT_FOUND`, `SPRITE_EXEC_FAILED`; a handshake without an answer is `NoHandshake`. */
  async open(
    name: string,
    spec: SessionSpec,
    { signal, isInternal = false }: OpenOptions = {},
  ): Promise<CloudSession> {
    assertSpriteName(name);
    const { client, ledger } = this.#options;
    const extensions = await this.#extensionsFor(name, spec, signal);
    const doing = `exec in ${quote(name)}`;
    const route = execRoute({ name, spec, extensions });
    const channel = await openChannel(client, { route, doing, failed: 'SPRITE_EXEC_FAILED', signal });
    const attached = await firstInfo(channel, { doing, tty: spec.tty !== undefined, signal });
    const session = sessionOfInfo(attached.info, {
      command: [...spec.command],
      dir: spec.dir ?? '/home/sprite',
      user: spec.user ?? 'sprite',
      tty: spec.tty !== undefined,
      cols: spec.tty?.cols ?? null,
      rows: spec.tty?.rows ?? null,
    });
    if (!isInternal) ledger.save(name, session);
    const handle = this.#handle(name, session, spec.stdin === true || spec.tty !== undefined, attached);
    const isOurs = client.extensions?.has('exec-timeout') === true;
    if (spec.timeoutMs !== undefined && !isOurs) this.#limit(name, handle, spec.timeoutMs);
    return handle;
  }

  /** Throws `SESSION_NOT_FOUND`, `SPRITE_NOT_FOUND`. */
  async find(name: string, sessionId: string, waiting: Waiting = {}): Promise<CloudSession> {
    return this.#handle(name, await this.#look(name, sessionId, waiting.signal), true);
  }

  async list(name: string, { signal }: Waiting = {}): Promise<Session[]> {
    assertSpriteName(name);
    const { client, ledger } = this.#options;
    const answer = await client.json({
      method: 'GET',
      route: apiPath(['sprites', name, 'exec'], { ended: true }),
      doing: `sessions of ${quote(name)}`,
      canRepeat: true,
      signal,
    });
    const raw = isObject(answer) && Array.isArray(answer.sessions) ? answer.sessions : [];
    const known = new Map(ledger.list(name).map((session) => [session.id, session]));
    const told = raw
      .map((entry) => sessionOf(entry, known))
      .filter((session) => session !== null)
      .filter(({ command }) => command[3] !== INSIDE_NAME);
    if (client.extensions?.has('sessions-ended')) return told;
    const running = new Set(told.map(({ id }) => id));
    const past = [...known.values()].filter(({ id }) => !running.has(id)).map(asEnded);
    return [...told, ...past].sort((a, b) => a.created_at.localeCompare(b.created_at));
  }

  async kill(name: string, sessionId: string, how: SignalSpec = {}): Promise<KillSessionResult> {
    assertSpriteName(name);
    assertSessionId(sessionId);
    const { name: signalName = 'SIGTERM', graceMs = DEFAULT_GRACE_MS, only = false, signal } = how;
    const timeout = only ? '0s' : goDuration(graceMs) === '0' ? '1ms' : goDuration(graceMs);
    const call = {
      method: 'POST',
      route: apiPath(['sprites', name, 'exec', sessionId, 'kill'], { signal: signalName, timeout }),
      doing: `end session ${quote(sessionId)} of ${quote(name)}`,
      missing: 'SESSION_NOT_FOUND',
      canRepeat: true,
      signal,
    } as const;
    try {
      return await this.#killSteps(name, sessionId, this.#options.client.lines(call));
    } catch (thrown) {
      const isGone =
        thrown instanceof WreckitError && ['SESSION_NOT_FOUND', 'SESSION_LOST'].includes(thrown.code);
      if (!isGone) throw thrown;
      return await this.#alreadyGone(name, sessionId, thrown, signal);
    }
  }

  async #killSteps(
    name: string,
    sessionId: string,
    steps: AsyncIterable<Record<string, unknown>>,
  ): Promise<KillSessionResult> {
    for await (const { type, message, error, exit_code: code } of steps) {
      if (type === 'error') {
        const said = textOr(message, textOr(error, 'the server could not'));
        throw new WreckitError(
          'SPRITE_EXEC_FAILED',
          `end session ${quote(sessionId)} of ${quote(name)}: ${said}`,
        );
      }
      if (type !== 'complete') continue;
      const exitCode = numberOr(code, null);
      if (exitCode !== null)
        this.#options.ledger.ended(name, sessionId, { exitCode, signal: null, timedOut: false });
      return { exitCode, alreadyGone: false };
    }
    throw new WreckitError(
      'SPRITE_EXEC_FAILED',
      `end session ${quote(sessionId)} of ${quote(name)}: the server did not say that it ended`,
      {
        hint: `see whether it still runs: wisp sessions ${name}`,
        retryable: true,
      },
    );
  }

  /** One that was there is gone; one nobody has heard of never was. */
  async #alreadyGone(
    name: string,
    sessionId: string,
    cause: WreckitError,
    signal?: AbortSignal,
  ): Promise<KillSessionResult> {
    const found = (await this.list(name, { signal })).find(({ id }) => id === sessionId);
    if (found !== undefined) return { exitCode: found.exit_code, alreadyGone: true };
    if (cause.code === 'SESSION_LOST') return { exitCode: null, alreadyGone: true };
    throw cause;
  }

  #handle(name: string, session: Session, stdin: boolean, started?: Attached): CloudSession {
    const { client, ledger, onNotice, resumeMs } = this.#options;
    const { id } = session;
    const hasOffsets =
      started === undefined
        ? client.extensions?.has('exec-offset') === true
        : started.info.stdoutOffset !== null;
    const noteExit = (exit: SessionExit | 'lost'): void => ledger.ended(name, id, exit);
    return new CloudSession({
      sprite: name,
      tty: session.tty,
      stdin,
      started,
      session,
      hasOffsets,
      attach: async (at, signal) => await this.#attach(name, session, at, signal),
      look: (signal) => this.#look(name, id, signal),
      onExit: noteExit,
      onNotice,
      resumeMs,
    });
  }

  async #attach(
    name: string,
    session: Session,
    at: Positions | null,
    signal?: AbortSignal,
  ): Promise<Attached> {
    const query = at === null ? {} : { output_offset: at.stdout, stderr_offset: at.stderr };
    const route = apiPath(['sprites', name, 'exec', session.id], { ...query, stdin: true });
    const doing = `attach to session ${quote(session.id)} of ${quote(name)}`;
    const call = {
      route,
      doing,
      missing: 'SESSION_NOT_FOUND',
      failed: 'SPRITE_ATTACH_FAILED',
      signal,
    } as const;
    const channel = await openChannel(this.#options.client, call);
    return await firstInfo(channel, { doing, tty: session.tty, signal });
  }

  async #look(name: string, sessionId: string, signal?: AbortSignal): Promise<Session> {
    assertSessionId(sessionId);
    const found = (await this.list(name, { signal })).find(({ id }) => id === sessionId);
    if (found !== undefined) return found;
    throw new WreckitError(
      'SESSION_NOT_FOUND',
      `session ${quote(sessionId)}: sprite ${quote(name)} has none of this id`,
      {
        hint: `list them: wisp sessions ${name}; servers of the API forget a session once it has ended`,
      },
    );
  }

  /** Asked for only where the answer decides what is sent. */
  async #extensionsFor(name: string, spec: SessionSpec, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const { client } = this.#options;
    const isUserGiven = spec.user !== undefined && spec.user !== 'sprite';
    const decides = isUserGiven || spec.timeoutMs !== undefined || Object.keys(spec.env ?? {}).length > 0;
    if (client.extensions === null && decides) {
      await client.json({
        method: 'GET',
        route: apiPath(['sprites', name]),
        doing: `exec in ${quote(name)}`,
        canRepeat: true,
        signal,
      });
    }
    return client.extensions ?? new Set();
  }

  /** The server is told as well (`max_run_after_disconnect`), for when this program is gone. */
  #limit(name: string, handle: CloudSession, timeoutMs: number): void {
    const timer = setTimeout(() => {
      handle.noteTimeout();
      this.kill(name, handle.id, { graceMs: TIMEOUT_GRACE_MS }).catch((thrown: unknown) => {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        this.#options.onNotice(`the command's time is up, but it could not be ended: ${reason}`);
      });
    }, timeoutMs);
    timer.unref();
  }
}

interface FirstInfo extends Waiting {
  readonly doing: string;
  readonly tty: boolean;
}

/** Frames that come before it (older servers send notes first) are kept, in order. */
async function firstInfo(channel: ApiChannel, { doing, tty, signal }: FirstInfo): Promise<Attached> {
  const late = AbortSignal.timeout(INFO_TIMEOUT_MS);
  const until = signal === undefined ? late : AbortSignal.any([late, signal]);
  let complaint: string | null = null;
  try {
    for (;;) {
      const message = await channel.next(until);
      const event = execEvent(message, tty);
      switch (event.kind) {
        case 'info':
          return { channel, info: event.info };
        case 'error':
          complaint = event.message;
          break;
        case 'output':
        case 'exit':
        case 'dropped':
          channel.putBack(message);
          return { channel, info: ANONYMOUS };
        case 'end': {
          const how =
            complaint ??
            (event.code === null
              ? 'the connection broke off'
              : `it was closed with ${event.code} ${event.reason}`.trim());
          throw new WreckitError('SPRITE_EXEC_FAILED', `${doing}: ${how} before the session was known`, {
            hint: 'whether the command was started is not known: look (wisp sessions NAME), then try again',
            details: { state: 'unknown', exit_code: null },
          });
        }
        case 'other':
      }
    }
  } catch (thrown) {
    channel.drop();
    signal?.throwIfAborted();
    if (!late.aborted) throw thrown;
    throw new WreckitError(
      'TIMEOUT',
      `${doing}: the server has not said which session it is within ${INFO_TIMEOUT_MS / 1000} s`,
      {
        hint: 'whether the command was started is not known: look (wisp sessions NAME), then try again',
        details: { state: 'unknown', exit_code: null },
      },
    );
  }
}

/** A command that was over before its server introduced it. */
const ANONYMOUS: SessionInfoFrame = {
  sessionId: 'unknown',
  tty: false,
  createdAt: null,
  command: '',
  cols: 0,
  rows: 0,
  stdoutOffset: null,
  stderrOffset: null,
};

/** An entry of the server's list; words and sizes it does not know are those this machine knows. */
function sessionOf(raw: unknown, known: ReadonlyMap<string, Session>): Session | null {
  if (!isObject(raw)) return null;
  const id = typeof raw.id === 'number' ? String(raw.id) : textOr(raw.id, '');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(id)) return null;
  const own = known.get(id);
  const created = textOr(raw.created, own?.created_at ?? '');
  const argv = textsOf(raw.argv);
  const exitCode = numberOr(raw.exit_code, null);
  const isRunning = raw.state === undefined ? true : raw.state === 'running';
  return {
    id,
    command: argv.length > 0 ? argv : (own?.command ?? [textOr(raw.command, '')]),
    dir: textOr(raw.workdir, own?.dir ?? ''),
    user: textOr(raw.user, own?.user ?? 'sprite'),
    tty: raw.tty === true,
    state: isRunning ? 'running' : exitCode === null ? 'lost' : 'exited',
    exit_code: exitCode,
    signal: textOr(raw.signal, null),
    created_at: created,
    exited_at: textOr(raw.exited_at, null),
    stdout_bytes: numberOr(raw.stdout_bytes, 0),
    stderr_bytes: numberOr(raw.stderr_bytes, 0),
    stdout_start: numberOr(raw.stdout_start, 0),
    stderr_start: numberOr(raw.stderr_start, 0),
    last_output_at: textOr(raw.last_activity, null),
    cols: numberOr(raw.cols, own?.cols ?? null),
    rows: numberOr(raw.rows, own?.rows ?? null),
  };
}

/** One that is no longer in the server's list and whose end nobody here has seen. */
function asEnded(session: Session): Session {
  return session.state === 'running' ? { ...session, state: 'lost' } : session;
}
