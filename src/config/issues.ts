/** Turns zod's issues into problems with our messages and their places in the file. */
import type * as z from 'zod';
import type { SourceDocument } from './lib/document.ts';
import { keyOf } from './lib/problem.ts';
import type { Path, Problem } from './lib/problem.ts';
import type { SchemaNode } from './schema/schema.ts';
import { formOf, nodeAt, placesOfKey, read } from './schema/walk.ts';
import { nearest } from './lib/suggest.ts';
import { isGiven, listed, shown } from './schema/values.ts';

type Issue = z.core.$ZodIssue;

/** The message for an issue, if the schema of the value has none. */
export function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  if (input === undefined) return 'is missing';
  if (input === null) return 'is empty: give it a value, or leave the key out';
  const found = `found ${shown(input)}`;
  if (issue.code === 'invalid_type') {
    const expected = EXPECTED[issue.expected] ?? issue.expected;
    return `expected ${expected}, ${found}${yesOrNo(issue.expected, input)}${quotes(issue.expected, input)}`;
  }
  if (issue.code === 'invalid_value') {
    return `expected ${listed(issue.values.map(String))}, ${found}`;
  }
  if (issue.code === 'too_small') return `must be ${String(issue.minimum)} at least, ${found}`;
  if (issue.code === 'too_big') {
    const most = `${String(issue.maximum)} at most`;
    return issue.origin === 'array' ? `has too many entries: ${most}` : `must be ${most}, ${found}`;
  }
  return undefined;
}

/** One problem for each mistake. */
export function problemsOfIssues(
  issues: readonly Issue[],
  document: SourceDocument,
  schema: SchemaNode,
): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, document, schema));
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a map of keys',
  record: 'a map of keys',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function problemsOf(issue: Issue, document: SourceDocument, schema: SchemaNode): Problem[] {
  const path = issue.path.map((segment) =>
    typeof segment === 'number' ? segment : String(segment),
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => unknownKey(name, path, document, schema));
  }
  if (issue.code === 'invalid_union') return problemsOfUnion(issue, path, document, schema);
  const key = keyOf(path);
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ ...document.keyPlaceOf(path), key, message }];
  }
  const value = read(document.value, ...path);
  const place = isGiven(value) ? document.placeOf(path) : document.keyPlaceOf(path);
  const description = nodeAt(schema, path, document.value)?.description;
  const message =
    issue.message === 'is missing' && description !== undefined
      ? `is missing (${firstSentence(description)})`
      : issue.message;
  return [{ ...place, key, message }];
}

/** The problems of the form of a union that was meant: of the map form, if the value is a map. */
function problemsOfUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  document: SourceDocument,
  schema: SchemaNode,
): Problem[] {
  const value = read(document.value, ...path);
  if (issue.errors.length === 0) {
    // A discriminated union without a matching form: the name of the parser is wrong.
    const names = parserNames(nodeAt(schema, path.slice(0, -1), document.value));
    const meant = typeof value === 'string' ? nearest(value, names) : undefined;
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    const found = value === undefined ? 'is missing; ' : '';
    const message = `${found}expected ${listed(names)}${value === undefined ? '' : `, found ${shown(value)}`}${hint}`;
    const place = isGiven(value) ? document.placeOf(path) : document.keyPlaceOf(path);
    return [{ ...place, key: keyOf(path), message }];
  }
  const form = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
  if (typeof value === 'object' && value !== null && form !== undefined) {
    const below = form.map((error) => ({ ...error, path: [...path, ...error.path] }));
    return problemsOfIssues(below, document, schema);
  }
  const place = isGiven(value) ? document.placeOf(path) : document.keyPlaceOf(path);
  return [{ ...place, key: keyOf(path), message: issue.message }];
}

function unknownKey(
  name: string,
  path: Path,
  document: SourceDocument,
  schema: SchemaNode,
): Problem {
  const keyPath = [...path, name];
  const node = nodeAt(schema, path, document.value);
  const form = node === undefined ? undefined : formOf(node, read(document.value, ...path));
  const known = Object.keys(form?.properties ?? {});
  const meant = nearest(name, known);
  const elsewhere = placesOfKey(schema, name);
  let hint = '';
  if (meant !== undefined) hint = `; did you mean "${meant}"?`;
  else if (elsewhere[0] !== undefined)
    hint = `; it belongs at ${elsewhere[0].replaceAll('*', 'NAME')}`;
  else if (known.length > 0) hint = `; known: ${known.join(', ')}`;
  return { ...document.keyPlaceOf(keyPath), key: keyOf(keyPath), message: `unknown key${hint}` };
}

function parserNames(node: SchemaNode | undefined): readonly string[] {
  return (node?.oneOf ?? []).flatMap((form) => {
    const parser = form.properties?.['parser'];
    return (parser?.enum ?? [parser?.const]).map(String);
  });
}

/** YAML 1.2 knows only true and false; `yes` and `on` are strings. */
function yesOrNo(expected: string, input: unknown): string {
  if (expected !== 'boolean' || typeof input !== 'string') return '';
  if (/^(yes|on|y)$/i.test(input)) return '; write true';
  return /^(no|off|n)$/i.test(input) ? '; write false' : '';
}

/** Text that YAML reads as a map: `{host}`, or `echo a: b`. */
function quotes(expected: string, input: unknown): string {
  if (expected !== 'string' || typeof input !== 'object' || input === null) return '';
  const [first] = Object.entries(input);
  if (Array.isArray(input) || first === undefined) return '';
  return first[1] === null
    ? `; if it is text, put it in quotes: '{${first[0]}}'`
    : '; if it is text, put it in quotes: a colon and a blank begin a map';
}

function firstSentence(text: string): string {
  return /^[^.;]*/.exec(text)?.[0] ?? text;
}
