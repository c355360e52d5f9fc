/** Material for an agent beside its task: files, diffs, logs. */
import { formatBytes } from '../../contract/units.ts';

export interface ContextDocument {
  /** A path as the user named it, or `stdin`. */
  readonly name: string;
  readonly text: string;
}

const MAX_LISTED = 100;

export function totalChars(documents: readonly ContextDocument[]): number {
  return documents.reduce((sum, { text }) => sum + text.length, 0);
}

/** `3 documents (1.2 MiB)`. */
export function contextInWords(documents: readonly ContextDocument[]): string {
  const count = documents.length === 1 ? '1 document' : `${documents.length} documents`;
  return `${count} (${formatBytes(totalChars(documents))})`;
}

/** Names and sizes, for a model that gets the texts elsewhere. */
export function contextIndex(documents: readonly ContextDocument[]): string {
  const lines = documents
    .slice(0, MAX_LISTED)
    .map(
      ({ name, text }, index) => `[${index}] ${name}: ${text.length} characters, ${lineCount(text)} lines`,
    );
  const more = documents.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** The task with the texts after it, for a model that reads all of them. */
export function promptWithContext(prompt: string, documents: readonly ContextDocument[]): string {
  const parts = documents.map(
    ({ name, text }) =>
      `<document name=${JSON.stringify(name)}>\n${text}${text.endsWith('\n') ? '' : '\n'}</document>`,
  );
  return [prompt, ...parts].join('\n\n');
}

function lineCount(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
