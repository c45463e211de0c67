/**
 * Exports that no other file imports, read from the syntax of all files. A type may be exported although nobody
 * imports it if the signature of another export of its file names it: a caller may need a name for what it gets.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

interface Parsed {
  /** What the file exports, and whether it is a type. */
  readonly exports: ReadonlyMap<string, 'type' | 'value'>;
  /** Names that the signatures of its exports contain, by export. */
  readonly signatures: ReadonlyMap<string, ReadonlySet<string>>;
  /** What it imports, by file; `*`: the whole module. */
  readonly imports: readonly (readonly [file: string, name: string])[];
}

const WITHOUT_COMMENTS: ts.CreateSourceFileOptions = {
  languageVersion: ts.ScriptTarget.Latest,
  jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
};

/** `file: name` for each export that could be private to its file. */
export function unusedExports(files: readonly string[]): string[] {
  const parsed = new Map(files.map((file) => [file, parse(file)]));
  const used = new Set(
    [...parsed.values()].flatMap(({ imports }) =>
      imports.map(([file, name]) => `${file}: ${name}`),
    ),
  );
  return [...parsed].flatMap(([file, { exports, signatures }]) => {
    if (used.has(`${file}: *`)) return [];
    const isSignature = (name: string): boolean =>
      exports.get(name) === 'type' &&
      [...signatures].some(([other, names]) => other !== name && names.has(name));
    return [...exports.keys()]
      .filter((name) => !used.has(`${file}: ${name}`) && !isSignature(name))
      .map((name) => `${file}: ${name}`);
  });
}

function parse(file: string): Parsed {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), WITHOUT_COMMENTS);
  const exports = new Map<string, 'type' | 'value'>();
  const signatures = new Map<string, ReadonlySet<string>>();
  for (const statement of source.statements) {
    if (!isExported(statement)) continue;
    const isType = ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement);
    for (const name of declaredNames(statement)) {
      exports.set(name, isType ? 'type' : 'value');
      signatures.set(name, namesInSignature(statement));
    }
  }
  return { exports, signatures, imports: importsOf(source, file) };
}

function isExported(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement)) return false;
  const kinds = (ts.getModifiers(statement) ?? []).map(({ kind }) => kind);
  return (
    kinds.includes(ts.SyntaxKind.ExportKeyword) && !kinds.includes(ts.SyntaxKind.DefaultKeyword)
  );
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    const names = statement.declarationList.declarations.map(({ name }) => name);
    return names.flatMap((name) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const { name } = statement as ts.DeclarationStatement;
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}

/** The type names of a declaration, without bodies of functions and private members. */
function namesInSignature(declaration: ts.Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node)) return;
    const name = ts.isClassElement(node) ? node.name : undefined;
    if (name !== undefined && ts.isPrivateIdentifier(name)) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const named = ts.isTypeReferenceNode(node) ? node.typeName : node.expression;
      if (ts.isIdentifier(named)) names.add(named.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return names;
}

function importsOf(source: ts.SourceFile, file: string): [string, string][] {
  const found: [string, string][] = [];
  const add = (specifier: string, names: readonly string[]): void => {
    const target = join(dirname(file), specifier);
    if (specifier.startsWith('.'))
      found.push(...names.map((name): [string, string] => [target, name]));
  };
  for (const node of source.statements) {
    if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) continue;
    if (node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) continue;
    const bindings = ts.isImportDeclaration(node)
      ? node.importClause?.namedBindings
      : node.exportClause;
    const isNamed = bindings !== undefined && 'elements' in bindings;
    const names = isNamed
      ? bindings.elements.map((each) => (each.propertyName ?? each.name).text)
      : ['*'];
    add(node.moduleSpecifier.text, names);
  }
  for (const [, specifier = ''] of source.text.matchAll(/\bimport\('([^']+)'\)/g))
    add(specifier, ['*']);
  return found;
}
