/**
 * Where `wisp login` keeps tokens: in the system keyring when there is one that works (`secret-tool`), else in
 * a file of mode 0600 in wisp's own directory. One token per server. Only wisp reads it; it leaves this program
 * in the Authorization header of requests to that server and nowhere else.
 *
 *   <state>/credentials.json   {"servers": {"https://api.sprites.dev": {"store": "file", "token": …, "organization": …}}}
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject, textOr } from '../../contract/json-value.ts';
import { quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { identify } from '../../process/identity.ts';
import { run } from '../../process/run.ts';

export type StoreKind = 'file' | 'keyring';

export interface StoredToken {
  readonly token: string;
  readonly store: StoreKind;
}

interface Entry {
  readonly store: StoreKind;
  /** With `file` alone. */
  readonly token?: string;
  readonly organization: string | null;
  readonly stored_at: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const MAX_FILE_BYTES = 1024 * 1024;
/** A keyring that is locked asks its user, who may not be there. */
const KEYRING_TIMEOUT_MS = 20_000;
const TOOL = 'secret-tool';
const FILE = 'credentials.json';
/** FILE, the writing process, chance. */
const STAGED = /^credentials\.json\.(\d{1,10})\.[a-z0-9]+$/;

export class TokenStore {
  readonly #path: string;
  readonly #env: Env;

  constructor(stateDir: string, env: Env) {
    this.#path = join(stateDir, FILE);
    this.#env = env;
  }

  get path(): string {
    return this.#path;
  }

  /** Null: nobody has logged in to this server. Throws `AUTH_MISSING` when the keyring does not give it out. */
  async find(url: string): Promise<StoredToken | null> {
    const entry = this.#read()[url];
    if (entry === undefined) return null;
    if (entry.store === 'file')
      return entry.token === undefined ? null : { token: entry.token, store: 'file' };
    const found = await this.#keyring(['lookup', ...attributes(url)]);
    const token = found?.trim() ?? '';
    if (token !== '') return { token, store: 'keyring' };
    throw new WreckitError('AUTH_MISSING', `token for ${url}: the system keyring does not give it out`, {
      hint: 'unlock the keyring, or log in again: wreckit sprite login',
    });
  }

  /** Says where it is now. */
  async save(url: string, token: string, organization: string | null): Promise<StoreKind> {
    const label = ['--label', `wisp: token for ${url}`];
    const isInKeyring = (await this.#keyring(['store', ...label, ...attributes(url)], token)) !== null;
    const store: StoreKind = isInKeyring ? 'keyring' : 'file';
    const entry: Entry = {
      store,
      ...(isInKeyring ? {} : { token }),
      organization,
      stored_at: new Date().toISOString(),
    };
    this.#write({ ...this.#read(), [url]: entry });
    return store;
  }

  /** Null: there was none. Throws `AUTH_MISSING` when the keyring keeps it. */
  async remove(url: string): Promise<StoreKind | null> {
    const { [url]: entry, ...others } = this.#read();
    if (entry === undefined) return null;
    if (entry.store === 'keyring' && (await this.#keyring(['clear', ...attributes(url)])) === null) {
      throw new WreckitError('CONFLICT', `token for ${url}: the system keyring does not let go of it`, {
        hint: `unlock the keyring, or remove it there: ${TOOL} clear ${attributes(url).join(' ')}`,
      });
    }
    this.#write(others);
    return entry.store;
  }

  /** Null: there is no keyring, or it refused. The token goes over stdin, never in argv. */
  async #keyring(args: readonly string[], stdin?: string): Promise<string | null> {
    const { PATH = '', HOME = '', DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR } = this.#env;
    if (DBUS_SESSION_BUS_ADDRESS === undefined && XDG_RUNTIME_DIR === undefined) return null;
    const bus = {
      ...(DBUS_SESSION_BUS_ADDRESS === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS }),
      ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }),
    };
    const result = await run([TOOL, ...args], {
      env: { PATH, HOME, ...bus },
      stdin: stdin ?? 'ignore',
      timeoutMs: KEYRING_TIMEOUT_MS,
      maxBytes: 64 * 1024,
    });
    return result.failed ? null : Buffer.from(result.stdout).toString('utf8');
  }

  #read(): Record<string, Entry> {
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    if (stats === undefined) return {};
    const refuse = (problem: string, hint: string): WreckitError =>
      new WreckitError('CONFIG_INVALID', `credentials ${quote(this.#path)}: ${problem}`, { hint });
    if (!stats.isFile() || stats.size > MAX_FILE_BYTES)
      throw refuse('it is not a plain file of ours', `remove it: rm ${this.#path}`);
    if ((stats.mode & 0o077) !== 0) throw refuse('others can read it', `chmod 600 ${this.#path}`);
    const isForeign = process.getuid !== undefined && stats.uid !== process.getuid();
    if (isForeign) throw refuse('it belongs to somebody else', 'set WISP_HOME to a directory of your own');
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      const servers = isObject(value) && isObject(value.servers) ? value.servers : {};
      return Object.fromEntries(
        Object.entries(servers).flatMap(([url, raw]) => (isObject(raw) ? [[url, entryOf(raw)]] : [])),
      );
    } catch (cause) {
      if (errnoOf(cause) !== undefined)
        throw refuse(`it can't be read: ${errnoOf(cause)}`, 'log in again: wreckit sprite login');
      throw refuse('it is not JSON', `remove it (rm ${this.#path}) and log in again`);
    }
  }

  #write(servers: Readonly<Record<string, Entry>>): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const staged = `${this.#path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}`;
    const fd = openSync(staged, 'wx', 0o600);
    try {
      writeFileSync(fd, `${JSON.stringify({ servers }, null, 2)}\n`);
    } catch (error) {
      rmSync(staged, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    renameSync(staged, this.#path);
    this.#removeLeftovers();
  }

  /** Of logins that were killed before the renaming: a token is in them, which nobody would ever take away. */
  #removeLeftovers(): void {
    const dir = dirname(this.#path);
    for (const name of readdirSync(dir)) {
      const pid = STAGED.exec(name)?.[1];
      if (pid !== undefined && identify(Number(pid)) === null) rmSync(join(dir, name), { force: true });
    }
  }
}

function attributes(url: string): string[] {
  return ['service', 'wisp', 'server', url];
}

function entryOf(raw: Readonly<Record<string, unknown>>): Entry {
  return {
    store: raw.store === 'keyring' ? 'keyring' : 'file',
    ...(typeof raw.token === 'string' ? { token: raw.token } : {}),
    organization: textOr(raw.organization, null),
    stored_at: textOr(raw.stored_at, ''),
  };
}
