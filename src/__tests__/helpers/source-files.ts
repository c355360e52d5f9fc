/** The program's sources as the rules in architecture.test.ts see them: what each imports and what it calls. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

export interface SourceImport {
  readonly specifier: string;
  /** The file imported, as in `SourceFile.path`; null for packages and Node's own modules. */
  readonly target: string | null;
  /** Gone at run time. */
  readonly isType: boolean;
  /** `import()`: costs nothing until it is called. */
  readonly isLazy: boolean;
}

export interface SourceFile {
  /** Relative to `src/`, with "/". */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly SourceImport[];
  /** Names and members of globals that are used: `Bun`, `console.log`, `process.exit`. */
  readonly globals: ReadonlySet<string>;
}

/** Every `.ts` file below `root` but the tests. */
export function readSources(root: string): SourceFile[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith('.ts') && !path.startsWith('__tests__/'))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

export function parseSource(path: string, text: string): SourceFile {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: SourceImport[] = [];
  const globals = new Set<string>();
  const visit = (node: ts.Node): void => {
    const found = importOf(node, path);
    if (found) imports.push(found);
    const used = globalOf(node);
    if (used) globals.add(used);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, lines, imports, globals };
}

function importOf(node: ts.Node, path: string): SourceImport | null {
  if (ts.isImportDeclaration(node))
    return importFrom(path, node.moduleSpecifier, isTypeClause(node.importClause));
  if (ts.isExportDeclaration(node)) return importFrom(path, node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return importFrom(path, node.argument.literal, true);
  }
  const isImportCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isImportCall ? importFrom(path, node.arguments[0], false, true) : null;
}

function isTypeClause(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    !clause.name &&
    !!bindings &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((each) => each.isTypeOnly)
  );
}

function importFrom(
  path: string,
  expression: ts.Node | undefined,
  isType: boolean,
  isLazy = false,
): SourceImport | null {
  if (!expression || !ts.isStringLiteralLike(expression)) return null;
  const specifier = expression.text;
  const target = specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : null;
  return { specifier, target, isType, isLazy };
}

function globalOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return `${node.expression.text}.${node.name.text}`;
  }
  return ts.isIdentifier(node) && node.text === 'Bun' ? 'Bun' : null;
}
