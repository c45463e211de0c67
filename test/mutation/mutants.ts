/** The small changes that could be made to a source file by mistake, each of which a test should notice. */
import ts from 'typescript';

export interface Mutant {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
  /** How a condition can choose between the two while the program runs; `alone`: it cannot (see switches.ts). */
  readonly kind: 'expression' | 'statement' | 'alone';
}

/** In the order of the file. */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  const add = (node: ts.Node, replacement: string): void => {
    const start = node.getStart(source);
    found.push({
      file,
      line: source.getLineAndCharacterOfPosition(start).line + 1,
      start,
      end: node.getEnd(),
      original: node.getText(source),
      replacement,
      kind: kindOf(node),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || isTypeDeclaration(node)) return;
    for (const replacement of replacements(node, source)) add(node, replacement);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

export function mutated(
  text: string,
  { start, end, replacement }: Pick<Mutant, 'start' | 'end' | 'replacement'>,
): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function kindOf(node: ts.Node): Mutant['kind'] {
  if (ts.isStatement(node)) return 'statement';
  // Parentheses would end an optional chain early, and a property's name is no expression.
  const isNamed =
    (ts.isPropertyAssignment(node.parent) && node.parent.name === node) ||
    (ts.isBindingElement(node.parent) && node.parent.propertyName === node);
  const isInChain = ts.isOptionalChain(node) && ts.isOptionalChain(node.parent);
  return isNamed || isInChain ? 'alone' : 'expression';
}

function isTypeDeclaration(node: ts.Node): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function replacements(node: ts.Node, source: ts.SourceFile): readonly string[] {
  const text = (of: ts.Node): string => of.getText(source);
  if (ts.isBinaryExpression(node)) {
    const { left, operatorToken, right } = node;
    const others = OPERATORS[operatorToken.getText(source)] ?? [];
    const swapped = others.map((other) => `${text(left)} ${other} ${text(right)}`);
    return operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken
      ? [`(${text(right)})`]
      : swapped;
  }
  if (ts.isIfStatement(node) && node.elseStatement === undefined) {
    // The guard is gone; and it always holds.
    return [';', text(node.thenStatement)];
  }
  if (ts.isIfStatement(node)) return [text(node.thenStatement)];
  if (ts.isConditionalExpression(node)) {
    return [`(${text(node.whenTrue)})`, `(${text(node.whenFalse)})`];
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [`!!${text(node.operand)}`];
  }
  if (ts.isNumericLiteral(node)) return numbers(node);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return ['false'];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return ['true'];
  if (ts.isExpressionStatement(node)) return isSuper(node.expression) ? [] : [';'];
  if (ts.isReturnStatement(node)) {
    const isEmpty = node.expression === undefined || text(node.expression) === 'undefined';
    return isEmpty ? [] : ['return undefined;'];
  }
  return ts.isCallExpression(node) ? calls(node, source) : [];
}

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<='],
  '<=': ['<'],
  '>': ['>='],
  '>=': ['>'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '+=': ['-='],
  '-=': ['+='],
};

function numbers(node: ts.NumericLiteral): readonly string[] {
  const value = Number(node.text);
  // `values[0]` and `case 0` change like other numbers; -1 is written with its sign outside.
  return Number.isInteger(value) ? [String(value + 1)] : [String(value * 1.5)];
}

function isSuper(expression: ts.Expression): boolean {
  return (
    ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword
  );
}

/** `sort`, `filter` and their like left out; the other one of a pair. */
function calls(node: ts.CallExpression, source: ts.SourceFile): readonly string[] {
  if (!ts.isPropertyAccessExpression(node.expression)) return [];
  const { expression: receiver, name } = node.expression;
  const on = receiver.getText(source);
  if (['sort', 'toSorted', 'filter', 'toReversed', 'slice', 'trim'].includes(name.text)) {
    return node.questionDotToken === undefined ? [on] : [];
  }
  const other = PAIRS.get(`${on}.${name.text}`) ?? PAIRS.get(name.text);
  if (other === undefined) return [];
  const given = node.arguments.map((argument) => argument.getText(source)).join(', ');
  return [other.includes('.') ? `${other}(${given})` : `${on}.${other}(${given})`];
}

const PAIRS: ReadonlyMap<string, string> = new Map([
  ['Math.min', 'Math.max'],
  ['Math.max', 'Math.min'],
  ['Math.floor', 'Math.ceil'],
  ['Math.ceil', 'Math.floor'],
  ['Math.round', 'Math.floor'],
  ['some', 'every'],
  ['every', 'some'],
]);
