import { expect, test } from 'bun:test';
import { isVerbGroup, type VerbEntry, type VerbNode } from '../../cli/verb.ts';
import { verbs } from '../../commands/index.ts';
import { wreckit } from '../helpers/wreckit.ts';

function entriesOf(
  nodes: readonly VerbNode[],
  path: readonly string[] = [],
): [words: string[], entry: VerbEntry][] {
  return nodes.flatMap((node): [string[], VerbEntry][] => {
    const words = [...path, node.name];
    return isVerbGroup(node) ? entriesOf(node.verbs, words) : [[words, node]];
  });
}

test('every verb of wreckit has help with examples that call it', async () => {
  const entries = entriesOf(verbs);
  expect(entries.length).toBeGreaterThan(10);
  for (const [words, entry] of entries) {
    const { examples } = await entry.load();
    const name = `wreckit ${words.join(' ')}`;
    expect([name, examples.length > 0]).toEqual([name, true]);
    for (const [line] of examples) expect(line).toContain(name);
    const { stdout, stderr, exitCode } = await wreckit([...words, '--help']);
    expect([name, exitCode, stderr]).toEqual([name, 0, '']);
    expect(stdout).toStartWith(`Usage: ${name} `);
    expect(stdout).toContain(`\nExamples:\n  ${examples[0]?.[0]}\n`);
    expect(stdout).toContain('\nGlobal options:\n  --json');
  }
});

test('no two verbs of a group have one name', () => {
  const namesOf = (nodes: readonly VerbNode[]): void => {
    const names = nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const node of nodes) if (isVerbGroup(node)) namesOf(node.verbs);
  };
  namesOf(verbs);
});
