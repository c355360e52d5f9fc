/** Help of a program or a group of verbs, written from the verb table alone: no verb is loaded for it. */
import { EXIT } from '../contract/error-codes.ts';
import { type GlobalOption, isVerbGroup, type VerbNode } from './verb.ts';

export interface HelpSubject {
  readonly program: string;
  readonly summary: string;
  readonly path: readonly string[];
  readonly nodes: readonly VerbNode[];
  readonly globalOptions: readonly GlobalOption[];
}

type Row = readonly [left: string, right: string];

export function groupHelp(subject: HelpSubject, columns: number | null): string {
  const name = [subject.program, ...subject.path].join(' ');
  const visible = subject.nodes.filter(({ hidden }) => hidden !== true);
  const sections = new Map<string, Row[]>();
  for (const node of visible) {
    const rows = sections.get(node.section ?? 'Commands') ?? [];
    rows.push([isVerbGroup(node) ? `${node.name} …` : node.name, node.summary]);
    sections.set(node.section ?? 'Commands', rows);
  }
  const blocks = [...sections];
  const options = subject.globalOptions.map(({ flags, description }): Row => [flags, description]);
  if (subject.path.length === 0) options.push(['-V, --version', 'Print the version']);
  options.push(['-h, --help', 'Print help; after a command, its arguments and examples']);
  blocks.push(['Options (before or after the command)', options]);
  const width = Math.max(...blocks.flatMap(([, rows]) => rows.map(([left]) => left.length))) + 2;
  const body = blocks.map(
    ([heading, rows]) => `${heading}:\n${rows.map((row) => line(row, width, columns)).join('\n')}`,
  );
  const usage = `Usage: ${name} <command> [options]`;
  return `${[usage, subject.summary, ...body, closingNote(name)].join('\n\n')}\n`;
}

function line([left, right]: Row, width: number, columns: number | null): string {
  const indent = 2 + width;
  const room = Math.max(24, (columns ?? 100) - indent);
  const lines = wrap(right, room);
  return `  ${left.padEnd(width)}${lines.join(`\n${' '.repeat(indent)}`)}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

function closingNote(name: string): string {
  const codes = `0 done, ${EXIT.failed} failed, ${EXIT.usage} usage, ${EXIT.notFound} not found, ${EXIT.engine} engine missing`;
  return `Run ${name} <command> --help for its arguments and examples.\nExit codes: ${codes}`;
}
