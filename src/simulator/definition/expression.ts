/**
 * The expressions of Data Pipeline: the text between `#{` and `}` (DPG, "Pipeline Expressions and Functions"). They have
 * fields, numbers, quoted text, `+ - * / ^`, and the documented functions on times except `inTimeZone`. Times are UTC.
 */
/* eslint-disable no-restricted-globals -- the calendar of times that it gets; it reads no clock */
import { parsePipelineTime, pipelineTime } from '../lib/clock.ts';

/** The value of a name as text; undefined if there is no such field. */
export type Lookup = (name: string) => string | undefined;

/** Undefined if the text is not an expression, or if it refers to a name that does not exist. */
export function evaluateExpression(text: string, lookup: Lookup): string | undefined {
  try {
    const parser = new Parser(tokensOf(text), lookup);
    return shown(parser.whole());
  } catch (error) {
    if (error instanceof NotEvaluable) return undefined;
    throw error;
  }
}

class NotEvaluable extends Error {}

/** A time is a Date, so that `+` treats it as text and functions recognise it. */
type Value = number | string | Date;

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?)|'([^']*)'|"([^"]*)"|([@*]?[A-Za-z_][\w]*(?:\.[@*]?[A-Za-z_][\w]*)*)|([-+*/^(),]))/y;

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign';
  readonly text: string;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) throw new NotEvaluable();
    const [, number, single, double, name, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else tokens.push({ kind: 'text', text: single ?? double ?? '' });
  }
  return tokens;
}

/** How deep brackets and signs may nest, since a request may contain anything. */
const DEPTH_MAX = 50;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #lookup: Lookup;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], lookup: Lookup) {
    this.#tokens = tokens;
    this.#lookup = lookup;
  }

  whole(): Value {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw new NotEvaluable();
    return value;
  }

  #sum(): Value {
    let value = this.#product();
    for (;;) {
      if (this.#takes('+')) value = added(value, this.#product());
      else if (this.#takes('-')) value = numberOf(value) - numberOf(this.#product());
      else return value;
    }
  }

  #product(): Value {
    let value = this.#power();
    for (;;) {
      if (this.#takes('*')) value = numberOf(value) * numberOf(this.#power());
      else if (this.#takes('/')) value = numberOf(value) / numberOf(this.#power());
      else return value;
    }
  }

  #power(): Value {
    if (++this.#depth > DEPTH_MAX) throw new NotEvaluable();
    const base = this.#takes('-') ? -numberOf(this.#power()) : this.#single();
    const value = this.#takes('^') ? numberOf(base) ** numberOf(this.#power()) : base;
    this.#depth--;
    return value;
  }

  #single(): Value {
    const token = this.#tokens[this.#at++];
    switch (token?.kind) {
      case 'number':
        return Number(token.text);
      case 'text':
        return token.text;
      case 'name':
        return this.#takes('(') ? called(token.text, this.#list()) : this.#field(token.text);
      case 'sign':
      case undefined: {
        if (token?.text !== '(') throw new NotEvaluable();
        const value = this.#sum();
        if (!this.#takes(')')) throw new NotEvaluable();
        return value;
      }
    }
  }

  #list(): readonly Value[] {
    const values: Value[] = [];
    if (this.#takes(')')) return values;
    for (;;) {
      values.push(this.#sum());
      if (this.#takes(')')) return values;
      if (!this.#takes(',')) throw new NotEvaluable();
    }
  }

  #field(name: string): Value {
    const text = this.#lookup(name);
    if (text === undefined) throw new NotEvaluable();
    const ms = parsePipelineTime(text);
    return ms === undefined ? text : new Date(ms);
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at++;
    return true;
  }
}

function added(left: Value, right: Value): Value {
  const isSum = isNumeric(left) && isNumeric(right);
  return isSum ? numberOf(left) + numberOf(right) : shown(left) + shown(right);
}

function isNumeric(value: Value): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
}

function numberOf(value: Value | undefined): number {
  if (value === undefined || !isNumeric(value)) throw new NotEvaluable();
  return Number(value);
}

function timeOf(value: Value | undefined): Date {
  if (value instanceof Date) return value;
  const ms = typeof value === 'string' ? parsePipelineTime(value) : undefined;
  if (ms === undefined) throw new NotEvaluable();
  return new Date(ms);
}

function shown(value: Value): string {
  if (!(value instanceof Date)) return String(value);
  const year = value.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new NotEvaluable();
  return pipelineTime(value.getTime());
}

function called(name: string, values: readonly Value[]): Value {
  const moved = /^(minus|plus)(Minutes|Hours|Days|Weeks|Months|Years)$/.exec(name);
  const [first, second, third] = values;
  if (moved !== null) {
    const count = numberOf(second) * (moved[1] === 'minus' ? -1 : 1);
    return shifted(timeOf(first), moved[2] ?? '', count);
  }
  if (name === 'makeDate') {
    return new Date(Date.UTC(numberOf(first), numberOf(second) - 1, numberOf(third)));
  }
  if (name === 'format') {
    const pattern = typeof second === 'string' ? second : "yyyy-MM-dd'T'HH:mm:ss";
    return formatted(timeOf(first), pattern);
  }
  const read = TIME_FUNCTIONS.get(name);
  if (read === undefined) throw new NotEvaluable();
  return read(timeOf(first));
}

/** The functions of one time. */
const TIME_FUNCTIONS: ReadonlyMap<string, (time: Date) => Value> = new Map<
  string,
  (time: Date) => Value
>([
  ['makeDateTime', (time) => time],
  ['year', (time) => time.getUTCFullYear()],
  ['month', (time) => time.getUTCMonth() + 1],
  ['day', (time) => time.getUTCDate()],
  [
    'dayOfYear',
    (time) => Math.round((midnight(time) - Date.UTC(time.getUTCFullYear(), 0, 0)) / DAY_MS),
  ],
  ['hour', (time) => time.getUTCHours()],
  ['minute', (time) => time.getUTCMinutes()],
  ['midnight', (time) => new Date(midnight(time))],
  ['yesterday', (time) => shifted(time, 'Days', -1)],
  ['firstOfMonth', (time) => new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), 1))],
  // "The previous Sunday, relative to the specified DateTime. If it is a Sunday, the result is the same" (DPG).
  ['sunday', (time) => shifted(time, 'Days', -time.getUTCDay())],
]);

function midnight(time: Date): number {
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate());
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const UNIT_MS: Readonly<Record<string, number>> = {
  Minutes: MINUTE_MS,
  Hours: 60 * MINUTE_MS,
  Days: DAY_MS,
  Weeks: 7 * DAY_MS,
};

/** A month later than the 31st is the last of a shorter month. */
function shifted(time: Date, unit: string, count: number): Date {
  const unitMs = UNIT_MS[unit];
  if (unitMs !== undefined) return new Date(time.getTime() + count * unitMs);
  const moved = new Date(time);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() + count * (unit === 'Years' ? 12 : 1));
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(time.getUTCDate(), last));
  return moved;
}

/** The letters of Java's patterns that mean numbers. Text in single quotes is copied. */
function formatted(time: Date, pattern: string): string {
  const hour = time.getUTCHours();
  const values: Readonly<Record<string, number>> = {
    y: time.getUTCFullYear(),
    Y: time.getUTCFullYear(),
    M: time.getUTCMonth() + 1,
    d: time.getUTCDate(),
    H: hour,
    h: hour % 12 === 0 ? 12 : hour % 12,
    m: time.getUTCMinutes(),
    s: time.getUTCSeconds(),
    S: time.getUTCMilliseconds(),
  };
  return pattern.replace(
    /'([^']*)'|([A-Za-z])\2*/g,
    (run: string, quoted: string | undefined, letter: string) => {
      if (quoted !== undefined) return quoted;
      if (letter === 'a') return hour < 12 ? 'AM' : 'PM';
      const value = values[letter];
      if (value === undefined) throw new NotEvaluable();
      const isShortYear = letter.toLowerCase() === 'y' && run.length === 2;
      return String(isShortYear ? value % 100 : value).padStart(run.length, '0');
    },
  );
}
