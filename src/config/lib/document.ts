/**
 * The configuration file as a tree of plain values, with the place of each in the file. Handles what belongs to YAML: syntax,
 * duplicate keys, anchors and merges, and `${env:NAME}` inside strings. Which keys there are is the schema's business.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { keyOf } from './problem.ts';
import { explainSyntaxError } from './syntax-errors.ts';
import type { Path, Place, Problem } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How many values aliases may add to those that are written. Aliases of aliases would grow past any bound. */
const ALIASED_MAX = 20_000;

export class SourceDocument {
  value: unknown;
  readonly problems: Problem[] = [];
  /** The first syntax error: what follows may be misread. */
  brokenAt?: Place;
  /** Keys that took a value from the environment, and how they are written. */
  readonly fromEnvironment = new Map<string, string>();
  /** Keys whose value could not be read; they get no further error. */
  readonly unknown = new Set<string>();

  readonly #lines = new LineCounter();
  readonly #values = new Map<string, number>();
  readonly #keys = new Map<string, number>();
  readonly #syntaxErrors = new Set<Problem>();
  readonly #letters = new Map<string, string>();
  readonly #document: Document.Parsed;
  readonly #environment: Environment;
  readonly #isText: (path: Path) => boolean;
  readonly #nodesMax: number;
  #nodes = 0;
  #targets: ReadonlyMap<Alias, Node> | undefined;

  /**
   * If `isText`, a number or a boolean keeps the letters that were written: `0777` stays `0777`.
   * Never throws.
   */
  constructor(text: string, environment: Environment, isText: (path: Path) => boolean) {
    this.#environment = environment;
    this.#isText = isText;
    // Every value that is written takes a character at least.
    this.#nodesMax = text.length + ALIASED_MAX;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
    this.#readSyntaxErrors(text);
    const root: Node | null = this.#document.contents;
    this.value = root === null ? null : this.#read(root, [], []);
  }

  /** Where the value of a key is written; for a key that is not there, where the nearest key above it is. */
  placeOf(path: Path): Place {
    const offset = this.#values.get(slot(path));
    if (offset !== undefined) return this.#place(offset);
    return path.length === 0 ? { line: 1, column: 1 } : this.keyPlaceOf(path.slice(0, -1));
  }

  keyPlaceOf(path: Path): Place {
    const offset = this.#keys.get(slot(path)) ?? this.#values.get(slot(path));
    if (path.length === 0) return { line: 1, column: 1 };
    return offset === undefined ? this.keyPlaceOf(path.slice(0, -1)) : this.#place(offset);
  }

  /** A number, a boolean or a date as it is written: for a key that takes text. */
  lettersOf(path: Path): string | undefined {
    return this.#letters.get(slot(path));
  }

  /** Numbers such as `010`: ten to YAML 1.2, and eight to YAML 1.1 and to people who write modes. */
  get octalLike(): readonly (readonly [path: Path, letters: string])[] {
    return [...this.#letters].flatMap(([slotText, letters]) =>
      /^[-+]?0\d/.test(letters) ? [[JSON.parse(slotText) as Path, letters] as const] : [],
    );
  }

  isSyntaxError(problem: Problem): boolean {
    return this.#syntaxErrors.has(problem);
  }

  #read(node: Node, path: Path, within: readonly Node[]): unknown {
    this.#nodes += 1;
    if (this.#nodes === this.#nodesMax + 1) {
      const message = 'holds too many aliases of aliases';
      this.#report(path, node, message);
    }
    if (this.#nodes > this.#nodesMax) return null;
    this.#values.set(slot(path), node.range?.[0] ?? 0);
    if (isAlias(node)) {
      const target = this.#targetOf(node);
      if (target === undefined || within.includes(target)) {
        this.#report(path, node, `the anchor of *${node.source} is not written above it`);
        this.unknown.add(keyOf(path));
        return null;
      }
      return this.#read(target, path, within);
    }
    if (isMap(node)) return this.#readMap(node, path, [...within, node]);
    if (isSeq(node)) {
      return node.items.map((item, index) =>
        this.#read(item as Node, [...path, index], [...within, node]),
      );
    }
    return isScalar(node) ? this.#readScalar(node, path) : null;
  }

  #readMap(map: YAMLMap, path: Path, within: readonly Node[]): Record<string, unknown> {
    // Without a prototype, `__proto__` is a key like any other: unknown.
    const value = Object.create(null) as Record<string, unknown>;
    const merged: Node[] = [];
    for (const pair of map.items) {
      const keyNode = pair.key as Node | null;
      const key = keyText(keyNode);
      const keyPath = [...path, key];
      if (key === '<<' && pair.value !== null) {
        merged.push(pair.value as Node);
        continue;
      }
      const offset = keyNode?.range?.[0] ?? map.range?.[0] ?? 0;
      const earlier = this.#keys.get(slot(keyPath));
      if (key in value && earlier !== undefined) {
        const { line, column } = this.#place(offset);
        const first = this.#place(earlier).line;
        const message = `is written twice: first in line ${first}; keep one of them`;
        this.problems.push({ line, column, key: keyOf(keyPath), message });
        continue;
      }
      this.#keys.set(slot(keyPath), offset);
      value[key] = pair.value === null ? null : this.#read(pair.value as Node, keyPath, within);
      if (pair.value === null) this.#values.set(slot(keyPath), offset);
    }
    for (const source of merged) this.#merge(source, value, path, within);
    return value;
  }

  /** `<<: *base` adds what is not there; a list of bases counts from its first. */
  #merge(source: Node, value: Record<string, unknown>, path: Path, within: readonly Node[]): void {
    const node = isAlias(source) ? this.#targetOf(source) : source;
    if (isSeq(node)) {
      for (const item of node.items) this.#merge(item as Node, value, path, within);
      return;
    }
    if (!isMap(node) || within.includes(node)) {
      this.#report([...path, '<<'], source, 'expected an alias of a map, such as *base');
      return;
    }
    for (const pair of node.items) {
      const key = keyText(pair.key as Node | null);
      if (key in value) continue;
      const keyPath = [...path, key];
      this.#keys.set(slot(keyPath), (pair.key as Node | null)?.range?.[0] ?? 0);
      value[key] =
        pair.value === null ? null : this.#read(pair.value as Node, keyPath, [...within, node]);
    }
  }

  #targetOf(alias: Alias): Node | undefined {
    this.#targets ??= targetsOf(this.#document);
    return this.#targets.get(alias);
  }

  #readScalar(scalar: Scalar, path: Path): unknown {
    const { value, source } = scalar;
    if (typeof value === 'string') {
      return value.includes('${env:') ? this.#fillIn(value, scalar, path) : value;
    }
    const isPlain = typeof value === 'number' || typeof value === 'boolean';
    if (!isPlain || source === undefined) return value;
    if (this.#isText(path)) return source;
    this.#letters.set(slot(path), source);
    return value;
  }

  #fillIn(text: string, scalar: Scalar, path: Path): string {
    this.fromEnvironment.set(keyOf(path), text);
    return text.replace(/\$\{env:([^}]*)(\}?)/g, (_, name: string, end: string) => {
      const value = this.#environment[name];
      if (value !== undefined && end !== '') return value;
      this.unknown.add(keyOf(path));
      const message =
        !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || end === ''
          ? 'expected ${env:NAME} with a name of letters, digits and underscores'
          : `the environment variable ${name} is not set; set it for the agent (Environment= or EnvironmentFile= of its unit)`;
      this.#report(path, scalar, message);
      return '';
    });
  }

  #readSyntaxErrors(text: string): void {
    // One mistake makes the parser stumble over all that follows: only the first error of a line is reported, and no mere
    // consequence of another ("… token in YAML stream").
    const lines = new Set<number>();
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      const place = this.#place(error.pos[0]);
      const isConsequence = lines.size > 0 && error.message.includes('in YAML stream');
      if (lines.has(place.line) || isConsequence) continue;
      lines.add(place.line);
      if (this.brokenAt === undefined || place.line < this.brokenAt.line) this.brokenAt = place;
      const problem = { ...place, ...explainSyntaxError(error.message, text, place) };
      this.problems.push(problem);
      this.#syntaxErrors.add(problem);
    }
  }

  #report(path: Path, node: Node, message: string): void {
    const place = this.#place(node.range?.[0] ?? 0);
    this.problems.push({ ...place, key: keyOf(path), message });
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return line === 0 ? { line: 1, column: 1 } : { line, column: col };
  }
}

/**
 * What each alias stands for: the last node before it that has its anchor. In one walk: `Alias.resolve` of the library walks
 * through the document for each alias, which takes minutes if ten thousand jobs have one.
 */
function targetsOf(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchored.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return targets;
}

/** As it is written: `0042` and `1e3` are names, not numbers. */
function keyText(key: Node | null): string {
  if (!isScalar(key)) return String(key);
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function slot(path: Path): string {
  return JSON.stringify(path.map(String));
}
