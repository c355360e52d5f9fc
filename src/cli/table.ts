/** Tables for people: fit the terminal's width, plain text when piped, colour never the only sign. */
import { printable, textWidth, truncate } from './text-width.ts';
import type { TextFormat } from './verb.ts';

export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** Cut with `…` when the table is too wide; the others are never cut. */
  readonly canShrink?: boolean;
}

const GAP = 2;
const NARROWEST = 6;

/** `''` for no rows: the verb says in words that there is nothing. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  format: TextFormat,
): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => columns.map((_, index) => printable(row[index] ?? '')));
  const widths = columns.map(({ header }, index) =>
    Math.max(textWidth(header), ...cells.map((row) => textWidth(row[index] ?? ''))),
  );
  if (format.columns !== null) shrink(columns, widths, format.columns);
  const headers = columns.map(({ header }) => header);
  const headLine = rowLine(columns, headers, widths);
  const lines = cells.map((row) => rowLine(columns, row, widths));
  return `${[format.color ? `\x1b[1m${headLine}\x1b[22m` : headLine, ...lines].join('\n')}\n`;
}

/** Takes cells from the widest column that may shrink until the table fits or none can give more. */
function shrink(columns: readonly Column[], widths: number[], limit: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1) - limit;
  while (excess > 0) {
    let widest = -1;
    for (const [index, { canShrink }] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (canShrink === true && width > NARROWEST && width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
}

function rowLine(columns: readonly Column[], row: readonly string[], widths: readonly number[]): string {
  const parts = columns.map(({ align }, index) => {
    const width = widths[index] ?? 0;
    const text = truncate(row[index] ?? '', width);
    const padding = ' '.repeat(Math.max(0, width - textWidth(text)));
    return align === 'right' ? padding + text : text + padding;
  });
  return parts.join(' '.repeat(GAP)).trimEnd();
}

/** `NO_COLOR` (any non-empty value) wins over `FORCE_COLOR`; without either: a terminal that isn't dumb. */
export function isColorWanted(env: Readonly<Record<string, string | undefined>>, isTty: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTty && env.TERM !== 'dumb';
}
