import { type RunRecord, runStateOf } from '../../agent/runs/run-record.ts';
import { renderTable } from '../../cli/table.ts';
import type { TextFormat } from '../../cli/verb.ts';
import { formatDuration } from '../../contract/units.ts';
import type { WreckitVerb } from '../globals.ts';
import { runDocument } from '../run/run-report.ts';
import { storeOf } from './run-argument.ts';

export const verb: WreckitVerb = {
  define: (command) => command,
  examples: [
    ['wreckit runs list', 'The runs of this project, newest last'],
    ['wreckit runs list --json', 'With all details of each'],
  ],
  async run(context) {
    const { records, unreadable } = (await storeOf(context)).list();
    for (const id of unreadable) await context.warn(`run ${id}: its record can't be read`);
    const isEmpty = records.length === 0 && unreadable.length === 0;
    return {
      data: { runs: records.map(runDocument), unreadable },
      text: (format) => (isEmpty ? 'no runs; begin one: wreckit run "…"' : runTable(records, format)),
    };
  },
};

function runTable(records: readonly RunRecord[], format: TextFormat): string {
  const rows = records.map((record) => [
    record.id,
    stateText(record),
    record.agent,
    `${formatDuration(Date.now() - Date.parse(record.created_at))} ago`,
    record.changed_files === null ? '-' : String(record.changed_files),
    record.landing?.branch ?? record.landing?.mode ?? '-',
    record.task,
  ]);
  const columns = [
    { header: 'RUN' },
    { header: 'OUTCOME' },
    { header: 'AGENT' },
    { header: 'BEGUN', align: 'right' },
    { header: 'FILES', align: 'right' },
    { header: 'LANDED' },
    { header: 'TASK', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
}

function stateText(record: RunRecord): string {
  const state = runStateOf(record);
  return state === 'ended' ? (record.outcome ?? 'unknown') : state;
}
