/** Sprites and sessions for people. */
import { renderTable } from '../cli/table.ts';
import { printable } from '../cli/text-width.ts';
import type { TextFormat } from '../cli/verb.ts';
import type { Session, Sprite } from '../contract/schemas.ts';
import { formatBytes, formatDuration } from '../contract/units.ts';

/** `3h`: how long ago; `-` where nobody knows. */
export function age(time: string | null, now: number = Date.now()): string {
  const ms = time === null ? Number.NaN : now - Date.parse(time);
  return Number.isNaN(ms) ? '-' : formatDuration(ms);
}

export function spriteTable(sprites: readonly Sprite[], format: TextFormat): string {
  if (sprites.length === 0) return 'no sprites; start one: wisp start NAME';
  const rows = sprites.map((sprite) => [
    sprite.name,
    sprite.state,
    String(typeof sprite.sessions === 'number' ? sprite.sessions : sprite.sessions.length),
    sprite.resources.memory_bytes === null ? '-' : formatBytes(sprite.resources.memory_bytes),
    sprite.resources.cpus === null ? '-' : String(sprite.resources.cpus),
    sprite.network,
    age(sprite.created_at),
    sprite.expires_at === null ? '-' : remaining(sprite.expires_at),
    labelText(sprite.labels),
  ]);
  const columns = [
    { header: 'NAME' },
    { header: 'STATE' },
    { header: 'SESSIONS', align: 'right' },
    { header: 'MEMORY', align: 'right' },
    { header: 'CPUS', align: 'right' },
    { header: 'NETWORK' },
    { header: 'AGE', align: 'right' },
    { header: 'EXPIRES', align: 'right' },
    { header: 'LABELS', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
}

export function sessionTable(sessions: readonly Session[], format: TextFormat): string {
  const rows = sessions.map((session) => [
    session.id,
    session.state,
    exitText(session),
    session.tty ? 'yes' : 'no',
    session.user,
    age(session.created_at),
    commandText(session.command),
  ]);
  const columns = [
    { header: 'SESSION' },
    { header: 'STATE' },
    { header: 'EXIT', align: 'right' },
    { header: 'TTY' },
    { header: 'USER' },
    { header: 'AGE', align: 'right' },
    { header: 'COMMAND', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
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
    ['created', `${sprite.created_at} (${age(sprite.created_at)} ago)`],
    ['last active', sprite.last_active_at],
    ['expires', sprite.expires_at],
    ['owner', sprite.owner],
    ['labels', labelText(sprite.labels) || null],
    ...(sprite.warnings ?? []).map((warning): [string, string] => ['warning', warning]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null);
  const facts = shown.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`).join('\n');
  const sessions = Array.isArray(sprite.sessions) ? sprite.sessions : [];
  return sessions.length === 0 ? facts : `${facts}\n\n${sessionTable(sessions, format)}`;
}

/** Words of a command line, quoted where they would not be one word each. */
export function commandText(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
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

function remaining(expiresAt: string): string {
  const ms = Date.parse(expiresAt) - Date.now();
  return ms > 0 ? formatDuration(ms) : 'now';
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
