/** The small changes that could be made to a source file by mistake, each of which a test should notice. */
import ts from 'typescript';

/** What a mutant changes. `--ways` of run.ts takes some of them. */
export const WAYS = [
  'operator', // `<` as `<=`, `&&` as `||`, `+` as `-`
  'operand', // `a && b` as `a`, `a ?? b` as `a` or `b`
  'term', // `a + 1` as `a`
  'guard', // an `if` whose condition always holds, or never
  'choice', // one side of `a ? b : c`
  'negation',
  'number',
  'boolean',
  'statement', // one that is left out
  'result', // `return a` as `return undefined`
  'jump', // `return`, `continue`, `break` left out
  'await', // left out
  'arguments', // two that stand next to each other and are written alike (two names, two numbers), swapped
  'property', // one of an object left out
  'call', // `a.sort()` as `a`, `Math.min` as `Math.max`
] as const;

export type Way = (typeof WAYS)[number];

export interface Mutant {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
  readonly way: Way;
  /** How a condition can choose between the two while the program runs; `alone`: it cannot (see switches.ts). */
  readonly kind: 'expression' | 'statement' | 'property' | 'alone';
}

/** In the order of the file. */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  const add = (node: ts.Node, { way, text: replacement }: Change): void => {
    const start = node.getStart(source);
    found.push({
      file,
      line: source.getLineAndCharacterOfPosition(start).line + 1,
      start,
      end: node.getEnd(),
      original: node.getText(source),
      replacement,
      way,
      kind: kindOf(node),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || isTypeDeclaration(node)) return;
    for (const change of changesOf(node, source)) add(node, change);
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
  if (ts.isObjectLiteralElement(node)) return 'property';
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

interface Change {
  readonly way: Way;
  readonly text: string;
}

function changesOf(node: ts.Node, source: ts.SourceFile): readonly Change[] {
  const way = (name: Way, ...texts: readonly string[]): readonly Change[] =>
    texts.map((text) => ({ way: name, text }));
  const text = (of: ts.Node): string => of.getText(source);
  if (ts.isBinaryExpression(node)) return ofBinary(node, source);
  if (ts.isIfStatement(node)) return way('guard', ...ofIf(node, source));
  if (ts.isConditionalExpression(node)) {
    return way('choice', `(${text(node.whenTrue)})`, `(${text(node.whenFalse)})`);
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return way('negation', `!!${text(node.operand)}`);
  }
  if (ts.isNumericLiteral(node)) return way('number', ...numbers(node));
  if (node.kind === ts.SyntaxKind.TrueKeyword) return way('boolean', 'false');
  if (node.kind === ts.SyntaxKind.FalseKeyword) return way('boolean', 'true');
  if (ts.isExpressionStatement(node)) {
    return isSuper(node.expression) ? [] : way('statement', ';');
  }
  if (ts.isAwaitExpression(node)) return way('await', `(${text(node.expression)})`);
  if (ts.isObjectLiteralElement(node)) return isLeftOut(node) ? way('property', '...{}') : [];
  if (ts.isStatement(node)) return ofJump(node, source);
  if (ts.isCallExpression(node)) {
    return [...way('call', ...calls(node, source)), ...way('arguments', ...swaps(node, source))];
  }
  return ts.isNewExpression(node) ? way('arguments', ...swaps(node, source)) : [];
}

function ofBinary(node: ts.BinaryExpression, source: ts.SourceFile): readonly Change[] {
  const [left, right] = [node.left.getText(source), node.right.getText(source)];
  const sign = node.operatorToken.getText(source);
  const found = (OPERATORS[sign] ?? []).map((other): Change => ({
    way: 'operator',
    text: `${left} ${other} ${right}`,
  }));
  if (['&&', '||', '??'].includes(sign)) {
    found.push({ way: 'operand', text: `(${left})` }, { way: 'operand', text: `(${right})` });
  }
  if (['+', '-'].includes(sign) && ts.isNumericLiteral(node.right)) {
    found.push({ way: 'term', text: `(${left})` });
  }
  return found;
}

/** The guard is gone; and it always holds. */
function ofIf(node: ts.IfStatement, source: ts.SourceFile): readonly string[] {
  return [node.elseStatement?.getText(source) ?? ';', node.thenStatement.getText(source)];
}

function ofJump(node: ts.Statement, source: ts.SourceFile): readonly Change[] {
  const found: Change[] = [];
  if (ts.isReturnStatement(node)) {
    const value = node.expression?.getText(source) ?? 'undefined';
    if (value !== 'undefined') found.push({ way: 'result', text: 'return undefined;' });
  } else if (!ts.isBreakOrContinueStatement(node)) return [];
  // The only statement of an `if` goes with its guard, and after the last one of a function nothing follows.
  const { parent } = node;
  const isLastOfMany =
    ts.isBlock(parent) &&
    !ts.isFunctionLike(parent.parent) &&
    parent.statements.length > 1 &&
    parent.statements.at(-1) === node;
  if (isLastOfMany || ts.isCaseClause(parent)) found.push({ way: 'jump', text: ';' });
  return found;
}

/** Not of a class, not where an object is taken apart, and not `{ a: undefined }`, which is the same without. */
function isLeftOut(node: ts.ObjectLiteralElement): boolean {
  const isWritten =
    ts.isPropertyAssignment(node) ||
    ts.isShorthandPropertyAssignment(node) ||
    ts.isSpreadAssignment(node);
  if (!isWritten || isTarget(node.parent)) return false;
  const { initializer } = node as Partial<ts.PropertyAssignment>;
  return !(initializer && ts.isIdentifier(initializer) && initializer.text === 'undefined');
}

/** Whether values are assigned to what is written there: `({ a } = b)`. */
function isTarget(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) {
    return parent.left === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  }
  if (ts.isForOfStatement(parent)) return parent.initializer === node;
  const isNested =
    ts.isParenthesizedExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isObjectLiteralExpression(parent) ||
    ts.isArrayLiteralExpression(parent);
  return isNested && isTarget(parent);
}

/** Arguments that are written alike: what a compiler may well accept. */
function swaps(node: ts.CallExpression | ts.NewExpression, source: ts.SourceFile): string[] {
  const given = node.arguments ?? [];
  const from = node.getStart(source);
  const whole = node.getText(source);
  const found: string[] = [];
  for (const [index, second] of given.entries()) {
    const first = given[index - 1];
    if (first?.kind !== second.kind || ts.isFunctionLike(first)) continue;
    const [a, b] = [first.getText(source), second.getText(source)];
    if (a === b) continue;
    const between = whole.slice(first.getEnd() - from, second.getStart(source) - from);
    const before = whole.slice(0, first.getStart(source) - from);
    found.push(before + b + between + a + whole.slice(second.getEnd() - from));
  }
  return found;
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
  if (DROPPED.has(name.text)) {
    return node.questionDotToken === undefined ? [on] : [];
  }
  const other = PAIRS.get(`${on}.${name.text}`) ?? PAIRS.get(name.text);
  if (other === undefined) return [];
  const given = node.arguments.map((argument) => argument.getText(source)).join(', ');
  return [other.includes('.') ? `${other}(${given})` : `${on}.${other}(${given})`];
}

const DROPPED: ReadonlySet<string> = new Set([
  ...['sort', 'toSorted', 'reverse', 'toReversed', 'filter', 'slice'],
  ...['trim', 'trimStart', 'trimEnd', 'toLowerCase', 'toUpperCase'],
]);

const PAIRS: ReadonlyMap<string, string> = new Map([
  ['Math.min', 'Math.max'],
  ['Math.max', 'Math.min'],
  ['Math.floor', 'Math.ceil'],
  ['Math.ceil', 'Math.floor'],
  ['Math.round', 'Math.floor'],
  ['some', 'every'],
  ['every', 'some'],
  ['find', 'findLast'],
  ['findLast', 'find'],
  ['indexOf', 'lastIndexOf'],
  ['lastIndexOf', 'indexOf'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['push', 'unshift'],
]);
