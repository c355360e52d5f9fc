import { join, resolve } from 'node:path';
import type { FaultRule } from '../../api/faults/fault-rule.ts';
import { isLoopback, type ListenAddress, parseListenAddress } from '../../api/listen.ts';
import type { Serving, TcpOptions } from '../../api/serve-api.ts';
import type { TokenFile } from '../../api/token-file.ts';
import { collected } from '../../cli/flag-values.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { successDocument } from '../../contract/envelope.ts';
import { quote } from '../../contract/names.ts';
import type { Network } from '../../contract/schemas.ts';
import { resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { WreckitError } from '../../errors.ts';
import { fired } from '../../process/abort.ts';
import { createEngine } from '../create-engine.ts';
import { domain, graceMs, network, timeOrNever } from '../flags.ts';
import type { WispContext, WispVerb } from '../globals.ts';
import { sleepLog, sleepSettingsOf } from '../serve/auto-sleep.ts';

interface Options {
  /** False: `--no-socket`. */
  readonly socket?: string | false;
  readonly listen?: ListenAddress;
  readonly tokenFile?: string;
  readonly allowHost?: string[];
  readonly network?: Network;
  readonly drain?: number;
  readonly faults?: string;
  /** 0: never. */
  readonly warmAfter?: number;
  readonly coldAfter?: number;
}

const DRAIN_MS = 5_000;

const NOTES = `
This is the API of Fly's Sprites: give its SDKs the printed URL as base URL and the token from the token file.
The unix socket needs no token; only you can open it. Sessions don't depend on this server: stop it, kill it
or restart it at any time.
While it runs, idle sprites go to sleep: first frozen (warm), then stopped (cold, files kept). Any use of one
wakes it. The label "keep-awake" or "start --idle-timeout never" keeps one awake.`;

export const verb: WispVerb<Options> = {
  define: (command) =>
    command
      .option('--socket <path>', 'Unix socket; default: one in the state directory')
      .option('--no-socket', 'No unix socket')
      .option(
        '--listen <address>',
        'Listen on TCP too, such as 127.0.0.1:8080; port 0: any free port',
        parseListenAddress,
      )
      .option('--token-file <file>', 'With --listen: file with the token clients send; created if missing')
      .option(
        '--allow-host <name>',
        'With --listen beyond this machine: host name clients use (repeatable)',
        collected(domain),
      )
      .option('--network <mode>', 'Network of sprites made through the API: none, filtered or open', network)
      .option(
        '--warm-after <duration>',
        'Freeze idle sprites after this long, or never; default: WISP_WARM_AFTER or 30s',
        timeOrNever,
      )
      .option(
        '--cold-after <duration>',
        'Stop idle sprites after this long, or never; default: WISP_COLD_AFTER or 1h',
        timeOrNever,
      )
      .option('--drain <duration>', 'Time for calls in progress at shutdown; default: 5s', graceMs)
      .option('--faults <file>', 'For tests: fail on purpose, as this file says (docs/serve.md)')
      .addHelpText('after', NOTES),
  examples: [
    ['wisp serve', 'On a unix socket'],
    ['wisp serve --listen 127.0.0.1:8080 --json', 'On TCP too; prints the address and the token file'],
    ['wisp serve --listen 127.0.0.1:0 --faults faults.json', 'A cloud that fails on purpose, for tests'],
    ['wisp serve --warm-after 5m --cold-after never', 'Freeze idle sprites later, never stop them'],
    ['wisp serve --no-socket --listen 127.0.0.1:0 --token-file ./token', 'On TCP alone, at any free port'],
  ],
  run: serve,
};

async function serve(context: WispContext<Options>): Promise<VerbResult> {
  const { io, json, signal, globals, options } = context;
  assertSafe(options);
  const faults = await readFaultFile(context);
  const sleepSettings = sleepSettingsOf(options, io.env);
  const engine = await createEngine(context);
  const { serveApi } = await import('../../api/serve-api.ts');
  const { createLogger } = await import('../../logging.ts');
  const token = options.listen === undefined ? null : await tokenFile(context);
  const level = globals.verbose ? 'debug' : globals.quiet ? 'error' : 'info';
  const log = await createLogger({ level, secrets: token === null ? [] : [token.token] });
  const serving = await serveApi({
    engine,
    log,
    socket: socketPath(context),
    tcp: tcpOptions(options, token),
    network: options.network,
    faults,
  });
  const ready = { ...readyData(serving, token), ...(faults === undefined ? {} : { faults: faults.length }) };
  await io.stdout.write(json ? `${JSON.stringify(successDocument('serve', ready))}\n` : readyText(ready));
  const sleeping = engine.sleep?.watch(sleepSettings, { signal, onEvent: sleepLog(log) });
  await fired(signal);
  const { drain = DRAIN_MS } = options;
  log.info({ event: 'draining', drain_ms: drain });
  await serving.end(drain);
  await sleeping;
  return {};
}

/** Throws `USAGE`. */
function assertSafe({ socket, listen, tokenFile: file, allowHost = [] }: Options): void {
  if (listen === undefined) {
    const listenHint = 'add: --listen 127.0.0.1:8080';
    if (socket === false) throw usage('with --no-socket there is nothing to listen on', listenHint);
    if (file !== undefined) throw usage('--token-file is for TCP; the socket asks for no token', listenHint);
    if (allowHost.length > 0) throw usage('--allow-host is for TCP', listenHint);
  } else if (!isLoopback(listen.host) && allowHost.length === 0) {
    throw usage(
      `--listen ${quote(listen.host)} can be reached from other machines`,
      'say that it is meant, with the name clients call it by: --allow-host my-machine.example',
    );
  }
}

/** Said whatever `--quiet` says: nobody should take this server for a real one. */
async function readFaultFile({
  options: { faults },
  io,
  cwd,
}: WispContext<Options>): Promise<readonly FaultRule[] | undefined> {
  if (faults === undefined) return undefined;
  const { readFaults } = await import('../../api/faults/read-faults.ts');
  const rules = readFaults(resolve(cwd, faults), faults);
  const count = rules.length === 1 ? 'rule' : 'rules';
  await io.stderr.write(
    `warning: THIS SERVER LIES ON PURPOSE (--faults ${quote(faults)}, ${rules.length} ${count}): for tests only\n`,
  );
  return rules;
}

function usage(problem: string, hint: string): WreckitError {
  return new WreckitError('USAGE', `serve: ${problem}`, { hint });
}

function socketPath({ options: { socket }, io, cwd }: WispContext<Options>): string | null {
  if (socket === false) return null;
  return socket === undefined ? join(resolveStateDirs(io.env).runtime, 'api.sock') : resolve(cwd, socket);
}

async function tokenFile({ options, io, cwd }: WispContext<Options>): Promise<TokenFile> {
  const { ensureTokenFile } = await import('../../api/token-file.ts');
  const standard = join(resolveStateDirs(io.env).home, 'api-token');
  return ensureTokenFile(options.tokenFile === undefined ? standard : resolve(cwd, options.tokenFile));
}

function tcpOptions({ listen, allowHost = [] }: Options, token: TokenFile | null): TcpOptions | null {
  if (listen === undefined || token === null) return null;
  return { address: listen, token: token.token, hosts: allowHost };
}

interface Ready {
  readonly socket: string | null;
  readonly url: string | null;
  readonly token_file: string | null;
  readonly pid: number;
}

function readyData({ socket, url }: Serving, token: TokenFile | null): Ready {
  return { socket, url, token_file: token?.path ?? null, pid: process.pid };
}

function readyText({ socket, url, token_file: file }: Ready): string {
  const lines = [
    ...(socket === null ? [] : [`socket  ${socket}`]),
    ...(url === null ? [] : [`url     ${url}`, `token   in ${file}`]),
  ];
  return `${lines.join('\n')}\n`;
}
