/** Results as a table for people, and as docs/benchmarks.md. */
import { cpus, release, totalmem } from 'node:os';
import type { Comparison } from './measure.ts';

export interface Row {
  readonly what: string;
  readonly measured: string;
  /** What it is compared with, and what that took; empty for an absolute target. */
  readonly reference: string;
  readonly value: string;
  readonly target: string;
  readonly isMet: boolean;
}

export interface Limit {
  /** `most`: the value may be that at most; `least`: it must be at least that. */
  readonly kind: 'most' | 'least';
  readonly bound: number;
  readonly unit: string;
}

export function isWithin(value: number, { kind, bound }: Limit): boolean {
  return kind === 'most' ? value <= bound : value >= bound;
}

export function limitText({ kind, bound, unit }: Limit): string {
  return `${kind === 'most' ? '≤' : '≥'} ${bound}${unit}`;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** A row of times, where the value is how many times the reference was needed. */
export function ratioRow(
  what: string,
  { medianMs, referenceMs }: Comparison,
  reference: string,
  limit: Limit,
): Row {
  const ratio = medianMs / referenceMs;
  return {
    what,
    measured: milliseconds(medianMs),
    reference: `${reference}: ${milliseconds(referenceMs)}`,
    value: `${ratio.toFixed(2)}×`,
    target: limitText(limit),
    isMet: isWithin(ratio, limit),
  };
}

const HEAD = ['what', 'measured', 'reference', 'value', 'target', ''];

function cells(row: Row): string[] {
  return [row.what, row.measured, row.reference, row.value, row.target, row.isMet ? 'met' : 'MISSED'];
}

export function textTable(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdown(rows: readonly Row[], versions: readonly string[]): string {
  const line = (words: readonly string[]): string => `| ${words.join(' | ')} |`;
  const processors = cpus();
  const machine = `${processors.length} × ${processors[0]?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}`;
  return `# Benchmarks

Written by \`npm run bench -- --write\`. Each row is measured side by side with its reference in the same run (A B A B …, medians);
the ratios carry over to other machines, the times do not.

Machine: ${machine}; ${versions.join(', ')}.

${line(HEAD)}
${line(HEAD.map(() => '---'))}
${rows.map((row) => line(cells(row).map((cell) => cell.replaceAll('|', '\\|')))).join('\n')}
`;
}
