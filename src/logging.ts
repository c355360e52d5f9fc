/**
 * pino set-up: one place for the destination and for the redaction of secrets. Import types from here freely;
 * pino itself is loaded by `createLogger` alone. No transports: their worker threads break when bundled.
 */
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  level?: LogLevel | undefined;
  /** Lines for people instead of JSON; default: when the destination is a terminal. */
  pretty?: boolean | undefined;
  /** Path of a file (made with mode 0600, appended to); absent: stderr. */
  file?: string | undefined;
  /** Values that must never appear, whatever the key or text they are in. */
  secrets?: readonly string[] | undefined;
}

/** A logger whose every line has gone through `redact`. Writes are synchronous: nothing is lost at exit. */
export async function createLogger(options: LoggerOptions = {}): Promise<Logger> {
  const { level = 'info', file, secrets = [] } = options;
  // CommonJS: a bundle with lazy chunks gives its exports as the default alone.
  const { pino } = (await import('pino')).default;
  const isPretty = options.pretty ?? (file === undefined && process.stderr.isTTY === true);
  const target = pino.destination({
    dest: file ?? 2,
    sync: true,
    ...(file === undefined ? {} : { append: true, mkdir: true, mode: 0o600 }),
  });
  const stream = isPretty ? await prettyStream(target) : target;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: (line: string) => redact(line, secrets) },
    },
    stream,
  );
}

async function prettyStream(destination: DestinationStream): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  const colorize = process.stderr.isTTY === true && !process.env.NO_COLOR;
  return pretty({ destination, colorize, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
}

const REDACTED = '[redacted]';

/** A JSON member or an assignment whose name says that its value is a secret. */
const SECRET_MEMBER =
  /("[\w.-]*(?:token|secret|password|passwd|api[_-]?key|apikey|authorization|cookie|credential)s?"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;
const SECRET_ASSIGNMENT = /\b(\w*(?:TOKEN|SECRET|PASSWORD|API_?KEY)\s*=\s*)[^\s"'\\]+/g;
/** Tokens that are known by their form. */
const SECRET_FORM =
  /\b(?:sk-[\w-]{8,}|sgamp_[\w]{8,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|AIza[\w-]{30,})|\b(Bearer\s+)[\w.~+/=-]{8,}/g;

/** `text` without secrets: the values given, tokens known by their form, values of names such as `api_key`. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) {
    // Shorter ones would blank out ordinary words.
    if (secret.length < 6) continue;
    clean = clean.replaceAll(secret, REDACTED);
    const escaped = JSON.stringify(secret).slice(1, -1);
    if (escaped !== secret) clean = clean.replaceAll(escaped, REDACTED);
  }
  return clean
    .replace(SECRET_MEMBER, (_match, name: string) => `${name}"${REDACTED}"`)
    .replace(SECRET_ASSIGNMENT, (_match, name: string) => `${name}${REDACTED}`)
    .replace(SECRET_FORM, (_match, scheme: string | undefined) => `${scheme ?? ''}${REDACTED}`);
}

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL|PRIVATE_KEY|AUTHORIZATION/i;

/** True for an environment variable whose value must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The values of an environment that must not be shown: for `LoggerOptions.secrets`. */
export function secretValuesOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => isSecretName(name) && value !== undefined && value.length >= 6)
    .map(([, value]) => value ?? '');
}
