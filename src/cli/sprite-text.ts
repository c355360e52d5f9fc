/** Sprites and sessions for people, the same in both programs. */
import type { ListeningPort, Session, Sprite, Tunnel } from '../contract/schemas.ts';
import { formatBytes, formatDuration } from '../contract/units.ts';
import { commandText } from './command-text.ts';
import { serviceTable } from './service-text.ts';
import { type Column, renderTable } from './table.ts';
import { printable, truncate } from './text-width.ts';
import type { TextFormat } from './verb.ts';

/** `3h`: how long ago; `-` where nobody knows. */
export function age(time: string | null, now: number = Date.now()): string {
  const ms = time === null ? Number.NaN : now - Date.parse(time);
  return Number.isNaN(ms) ? '-' : formatDuration(ms);
}

/** What a start has come to, in one line. */
export function startedText({ name, isolation, network, resources }: Sprite, created: boolean): string {
  if (!created) return `${name} is running`;
  const memory = resources.memory_bytes === null ? [] : [formatBytes(resources.memory_bytes)];
  const cpus = resources.cpus === null ? [] : [`${resources.cpus} CPU${resources.cpus === 1 ? '' : 's'}`];
  const facts = [`isolation ${isolation ?? 'unknown'}`, `network ${network}`, ...memory, ...cpus];
  return `started ${name} (${facts.join(', ')})`;
}

interface SpriteColumn extends Column {
  readonly of: (sprite: Sprite) => string;
  /** Left out where no sprite has anything to show in it. */
  readonly isOptional?: boolean;
}

const NOTHING = '-';

/** False: nobody could read what it is; what its other fields hold is nothing to believe. */
function isKnown({ state, id }: Sprite): boolean {
  return state !== 'unknown' || id !== '';
}

const SPRITE_COLUMNS: readonly SpriteColumn[] = [
  { header: 'NAME', canShrink: true, of: ({ name }) => name },
  { header: 'STATE', of: ({ state }) => state },
  { header: 'ISOLATION', of: ({ isolation }) => isolation ?? NOTHING },
  { header: 'NETWORK', of: (sprite) => (isKnown(sprite) ? sprite.network : NOTHING) },
  { header: 'MEMORY', align: 'right', of: ({ resources }) => orNothing(resources.memory_bytes, formatBytes) },
  { header: 'CPUS', align: 'right', of: ({ resources }) => orNothing(resources.cpus, String) },
  { header: 'AGE', align: 'right', of: (sprite) => (isKnown(sprite) ? age(sprite.created_at) : NOTHING) },
  { header: 'SESSIONS', align: 'right', of: ({ sessions }) => String(countOf(sessions)) },
  {
    header: 'EXPIRES',
    align: 'right',
    isOptional: true,
    of: ({ expires_at }) => orNothing(expires_at, remaining),
  },
  { header: 'LABELS', canShrink: true, isOptional: true, of: ({ labels }) => labelText(labels) || NOTHING },
];

/** `''` for no sprites: the verb says in words what to do then. */
export function spriteTable(sprites: readonly Sprite[], format: TextFormat): string {
  const columns = SPRITE_COLUMNS.filter(
    ({ of, isOptional }) => isOptional !== true || sprites.some((sprite) => of(sprite) !== NOTHING),
  );
  const rows = sprites.map((sprite) => columns.map(({ of }) => of(sprite)));
  return renderTable(columns, rows, format);
}

function orNothing<T>(value: T | null, show: (value: T) => string): string {
  return value === null ? NOTHING : show(value);
}

function countOf(sessions: Sprite['sessions']): number {
  return typeof sessions === 'number' ? sessions : sessions.length;
}

function remaining(expiresAt: string): string {
  const ms = Date.parse(expiresAt) - Date.now();
  return ms > 0 ? formatDuration(ms) : 'now';
}

const SESSION_COLUMNS: readonly Column[] = [
  { header: 'SESSION' },
  { header: 'STATE' },
  { header: 'EXIT', align: 'right' },
  { header: 'TTY' },
  { header: 'USER' },
  { header: 'AGE', align: 'right' },
  { header: 'COMMAND', canShrink: true },
];

/** Cells, also where lines may be of any length: a script in full would bury the other rows. All of it: --json. */
const MOST_OF_A_COMMAND = 100;

export function sessionTable(sessions: readonly Session[], format: TextFormat): string {
  const rows = sessions.map((session) => [
    session.id,
    session.state,
    exitText(session),
    session.tty ? 'yes' : 'no',
    session.user,
    age(session.created_at),
    truncate(printable(commandText(session.command)), MOST_OF_A_COMMAND),
  ]);
  return renderTable(SESSION_COLUMNS, rows, format);
}

const PORT_COLUMNS: readonly Column[] = [
  { header: 'PORT', align: 'right' },
  { header: 'ADDRESS' },
  { header: 'PROCESS', align: 'right' },
];

/** `''` where nothing listens. */
export function portTable(ports: readonly ListeningPort[], format: TextFormat): string {
  const rows = ports.map(({ port, address, pid }) => [
    String(port),
    address,
    pid === 0 ? NOTHING : String(pid),
  ]);
  return renderTable(PORT_COLUMNS, rows, format);
}

/** A line per tunnel, the URL first so that it can be clicked. */
export function tunnelText(sprite: string, tunnels: readonly Tunnel[]): string {
  return tunnels
    .map(({ url, remote_port: port }) => `${url} forwards to port ${port} of ${sprite}\n`)
    .join('');
}

export function spriteText(sprite: Sprite, format: TextFormat): string {
  const { resources, usage } = sprite;
  const lines: [string, string | null][] = [
    ['name', sprite.name],
    ['id', sprite.id],
    ['state', sprite.error === null ? sprite.state : `${sprite.state}: ${sprite.error}`],
    ['engine', `${sprite.engine}, isolation ${sprite.isolation ?? 'unknown'}`],
    ['image', sprite.image],
    ['network', sprite.network],
    ['memory', amount(usage?.memory_bytes, resources.memory_bytes, formatBytes)],
    ['cpus', resources.cpus === null ? 'not limited' : `at most ${resources.cpus}`],
    ['cpu time', usage?.cpu_ms == null ? null : formatDuration(usage.cpu_ms)],
    ['processes', amount(usage?.pids, resources.pids, String)],
    ['disk', usage?.disk_bytes == null ? null : formatBytes(usage.disk_bytes)],
    ['directory', sprite.workdir],
    ['created', sprite.created_at === '' ? null : `${sprite.created_at} (${age(sprite.created_at)} ago)`],
    ['last active', sprite.last_active_at],
    ['sleeps', idleText(sprite.idle_timeout_ms)],
    ['expires', sprite.expires_at],
    ['owner', sprite.owner],
    ['labels', labelText(sprite.labels) || null],
    ...(sprite.warnings ?? []).map((warning): [string, string] => ['warning', warning]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null && line[1] !== '');
  const facts = shown.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`).join('\n');
  const sessions = Array.isArray(sprite.sessions) ? sprite.sessions : [];
  const tables = [serviceTable(sprite.services ?? [], format), sessionTable(sessions, format)];
  return [facts, ...tables.filter((table) => table !== '')].join('\n\n');
}

function idleText(idleTimeoutMs: number | null | undefined): string | null {
  if (idleTimeoutMs == null) return null;
  return idleTimeoutMs === 0 ? 'never' : `when idle for ${formatDuration(idleTimeoutMs)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function exitText({ state, exit_code, signal }: Session): string {
  if (signal !== null) return signal;
  return exit_code === null || state === 'running' ? '-' : String(exit_code);
}

function amount(
  used: number | null | undefined,
  limit: number | null,
  show: (value: number) => string,
): string {
  const most = limit === null ? 'not limited' : `at most ${show(limit)}`;
  return used == null ? most : `${show(used)}, ${most}`;
}
