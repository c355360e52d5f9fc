/** What is exported may be loaded by any program: it must not end it, talk in its place or remember anything. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../package-root.ts';
import { run } from '../../process/run.ts';
import { fixturePath } from '../helpers/fixtures.ts';
import { parseSource, readSources } from '../helpers/source-files.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const root = join(packageRoot(), 'src');
const ENTRIES = ['library/index.ts', 'contract/index.ts'];

/** Of the entries and all they import, lazily or not. */
function graph(): string[] {
  const files = new Map(readSources(root).map((file) => [file.path, file]));
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { target, isType } of files.get(path)?.imports ?? [])
      if (target !== null && !isType) visit(target);
  };
  for (const entry of ENTRIES) visit(entry);
  return [...seen].sort();
}

/** What a module does to the process when it is loaded, or keeps for later calls. */
function offences(path: string, text: string): string[] {
  const { globals } = parseSource(path, text);
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [...globals].filter((used) => used.startsWith('console.') || used === 'process.exit');
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      if (!(statement.declarationList.flags & ts.NodeFlags.Const))
        found.push(`${statement.getText().slice(0, 40)}`);
      for (const { initializer } of statement.declarationList.declarations) {
        const isFilled =
          initializer !== undefined && /^new (Map|Set|WeakMap)(<.*?>)?\(\)/.test(initializer.getText());
        if (isFilled) found.push(`${statement.getText().slice(0, 40)} (filled later)`);
      }
    } else if (ts.isExpressionStatement(statement)) found.push(`runs ${statement.getText().slice(0, 40)}`);
  }
  return found.map((what) => `${path}: ${what}`);
}

test('nothing the library loads ends the process, writes to the console or keeps state in a module', () => {
  const paths = graph();
  expect(paths).toContain('agent/runner.ts');
  expect(paths).toContain('commands/sprite/exec.ts');
  expect(paths).toContain('agent/rlm/chat-loop.ts');
  expect(paths.filter((path) => /^(index|wisp|engine|api)\b|^cli\/main/.test(path))).toEqual([]);
  expect(paths.flatMap((path) => offences(path, readFileSync(join(root, path), 'utf8')))).toEqual([]);
});

test('the rule sees what is against it', () => {
  const text =
    'let count = 0;\nconst seen = new Map<string, number>();\nconsole.log(1);\nexport const LIMIT = 3;\n';
  expect(offences('x.ts', text)).toHaveLength(4);
});

test('loading and using the library changes nothing of the process', async () => {
  using dir = tempDir();
  const probe = fixturePath('library-probe.mjs');
  const entry = join(root, 'library', 'index.ts');
  const ran = await run([process.execPath, probe, entry], { cwd: dir.path, timeoutMs: 60_000 });
  const report = JSON.parse(Buffer.from(ran.stdout).toString() || Buffer.from(ran.stderr).toString());
  expect(report).toMatchObject({
    isSame: true,
    wrote: [],
    outcome: 'completed',
    code: 'SPRITE_NAME_INVALID',
  });
});
