/** Services for people, the same in both programs. */
import type { ServiceView } from '../contract/schemas.ts';
import { formatDuration } from '../contract/units.ts';
import { commandText } from './command-text.ts';
import { renderTable } from './table.ts';
import { printable, truncate } from './text-width.ts';
import type { TextFormat } from './verb.ts';

/** Cells, also where lines may be of any length. All of it: --json. */
const MOST_OF_A_COMMAND = 100;

/** `''` for none. */
export function serviceTable(services: readonly ServiceView[], format: TextFormat): string {
  const columns = [
    { header: 'SERVICE' },
    { header: 'STATUS' },
    { header: 'PID', align: 'right' },
    { header: 'HTTP', align: 'right' },
    { header: 'UP', align: 'right' },
    { header: 'RESTARTS', align: 'right' },
    { header: 'NEEDS', canShrink: true },
    { header: 'COMMAND', canShrink: true },
  ] as const;
  const rows = services.map((service) => [
    service.name,
    service.status,
    service.pid === null ? '-' : String(service.pid),
    service.http_port === null ? '-' : String(service.http_port),
    service.started_at === null
      ? '-'
      : formatDuration(Math.max(0, Date.now() - Date.parse(service.started_at))),
    String(service.restart_count),
    service.needs.join(' ') || '-',
    truncate(printable(commandText(service.command)), MOST_OF_A_COMMAND),
  ]);
  const faults = services.filter(({ error }) => error !== null).map((service) => `${serviceLine(service)}\n`);
  return renderTable(columns, rows, format) + (faults.length === 0 ? '' : `\n${faults.join('')}`);
}

/** `web: failed, it ended with exit code 1; tried again in 3s`. */
export function serviceLine({ name, status, pid, error, next_restart_at }: ServiceView): string {
  const facts = [
    pid === null ? status : `${status}, pid ${pid}`,
    ...(error === null ? [] : [printable(error)]),
  ].join(', ');
  const waitMs = next_restart_at === null ? Number.NaN : Date.parse(next_restart_at) - Date.now();
  return `${name}: ${facts}${Number.isNaN(waitMs) ? '' : `; tried again ${waitMs > 0 ? `in ${formatDuration(waitMs)}` : 'now'}`}`;
}
