/**
 * Reads the numbers that programs print: with units, with points or commas for decimals and thousands, in Arabic and
 * other digits. A number that can be read in two ways that matter is not read at all.
 */

/** Zero of the decimal digits that locales use: Arabic, Persian, Devanagari, Bengali, Thai, full width. */
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10];

/** Marks of writing direction, which stand between a number and its sign in right-to-left text. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with ASCII digits and percent signs. */
export function withAsciiDigits(text: string): string {
  if (!/[^\u0000-\u007f]/.test(text)) return text;
  return text
    .replace(DIRECTION_MARKS, '')
    .replace(/[\u066a\ufe6a\uff05]/g, '%')
    .replace(/(?![0-9])\p{Nd}/gu, (digit) => {
      const code = digit.codePointAt(0) ?? 0;
      const zero = ZEROS.find((first) => code >= first && code < first + 10);
      return zero === undefined ? digit : String(code - zero);
    });
}

/** What stands for the decimal point: the one of a number, whose other separator then makes groups. */
type Decimal = '.' | ',';

/** Arabic separators, blanks, apostrophes and underscores have one meaning everywhere. */
const GROUP = "[٬'’_ \\u00a0\\u2009\\u202f";
const NUMBER = {
  '.': numberPattern('.', ','),
  ',': numberPattern(',', '.'),
} as const;

function numberPattern(decimal: string, group: string): RegExp {
  const separator = `${GROUP}${group}]`;
  return new RegExp(
    `^(\\d+|[1-9]\\d{0,2}(?:(${separator})\\d{2,3}(?:\\2\\d{2,3})*)?)(?:[٫${decimal}](\\d+))?(?:[eE]([+-]?\\d{1,3}))?$`,
    'u',
  );
}

function valueOf(text: string, decimal: Decimal): number | undefined {
  const match = NUMBER[decimal].exec(text);
  if (match === null) return undefined;
  const [, whole = '', separator, fraction = '', exponent = '0'] = match;
  // The last group has three digits in every convention (the others two in India).
  if (separator !== undefined && !/\D\d{3}$/.test(whole)) return undefined;
  return Number(`${whole.replace(/\D/g, '')}.${fraction || '0'}e${exponent}`);
}

interface Unit {
  readonly bytes: number;
  readonly isBits: boolean;
}

const POWERS = 'kMGTPE';
const UNIT = /^\s?(?:([kKMGTPE])(i)?)?(B|b|[Bb]ytes?|bits?|o|[Oo]ctets?)?(?![\p{L}\d])/u;

/** A prefix alone (`5.1G`, `12K`) is binary, as in `du -h`, `ls -h` and curl; `kB`, `MB` are decimal. */
function unitOf(text: string): Unit | undefined {
  const [whole = '', prefix, binary, name] = UNIT.exec(text) ?? [];
  if (whole.trim() === '') return undefined;
  const power = prefix === undefined ? 0 : POWERS.indexOf(prefix === 'K' ? 'k' : prefix) + 1;
  const base = binary === undefined && name !== undefined ? 1000 : 1024;
  return { bytes: base ** power, isBits: name === 'b' || name?.startsWith('bit') === true };
}

/** A number as it was printed, before it is known what its separators mean. */
export interface Amount {
  readonly values: Readonly<Record<Decimal, number | undefined>>;
  readonly unit: Unit | undefined;
}

/** `following`: what stands right behind the number, if its unit is not in the text itself. */
export function parseAmount(text: string, following = ''): Amount | undefined {
  const match = /^\s*[~≈<>]?\s*(\d[\d.,٫٬'’_\s]*(?:[eE][+-]?\d{1,3})?)(.*)$/su.exec(
    withAsciiDigits(text),
  );
  if (match === null) return undefined;
  const [, number = '', rest = ''] = match;
  const values = { '.': valueOf(number.trim(), '.'), ',': valueOf(number.trim(), ',') };
  if (values['.'] === undefined && values[','] === undefined) return undefined;
  const own = unitOf(rest.trim());
  // Another word than a unit: `12 files`. What is counted is compared as it is.
  return { values, unit: own ?? unitOf(withAsciiDigits(following.slice(0, 12))) };
}

export interface Share {
  /** 0–100, not rounded. */
  readonly percent: number;
  readonly total: number;
}

/** Done of total, in the convention that both numbers, or the ones before them, were written in. */
export class ShareReader {
  #decimal: Decimal | undefined;

  read(done: Amount | undefined, total: Amount | undefined): Share | undefined {
    if (done === undefined || total === undefined) return undefined;
    const scale = scalesOf(done.unit, total.unit);
    if (scale === undefined) return undefined;
    const found = (['.', ','] as const).flatMap((decimal) => {
      const share = shareOf(done.values[decimal], total.values[decimal], scale);
      return share === undefined ? [] : [{ decimal, share }];
    });
    const [first, second] = found;
    if (first === undefined || second === undefined) {
      if (first !== undefined) this.#decimal = first.decimal;
      return first?.share;
    }
    if (Math.floor(first.share.percent) === Math.floor(second.share.percent)) return first.share;
    // `1 of 1.500`: 67 % or less than one.
    return found.find(({ decimal }) => decimal === this.#decimal)?.share;
  }
}

interface Scales {
  readonly done: number;
  readonly total: number;
}

/** A unit that stands only behind the total counts for both: `900 / 1500 MB`. */
function scalesOf(done: Unit | undefined, total: Unit | undefined): Scales | undefined {
  if (total === undefined) return done === undefined || done.bytes === 1 ? ONES : undefined;
  if (done === undefined) return { done: total.bytes, total: total.bytes };
  if (done.isBits !== total.isBits) return undefined;
  return { done: done.bytes, total: total.bytes };
}

const ONES: Scales = { done: 1, total: 1 };

/** Programs that round, or that count what they add, end a little above their total. */
const ABOVE_TOTAL_MAX = 1.01;

function shareOf(
  done: number | undefined,
  total: number | undefined,
  scale: Scales,
): Share | undefined {
  if (done === undefined || total === undefined) return undefined;
  const all = total * scale.total;
  const ratio = (done * scale.done) / all;
  if (!(all > 0) || !(ratio <= ABOVE_TOTAL_MAX)) return undefined;
  return { percent: Math.min(100, ratio * 100), total: all };
}

/** A percentage alone: `12`, `12,9 %`, `~ 40`. Undefined: not one from 0 to 100. */
export function parsePercentage(text: string): number | undefined {
  const match = /^\s*[~≈<>]?\s*(\d{1,3})(?:[.,٫](\d{1,20}))?\s*%?\s*$/u.exec(withAsciiDigits(text));
  if (match === null) return undefined;
  const percent = Number(`${match[1] ?? ''}.${match[2] ?? '0'}`);
  return percent <= 100 ? percent : undefined;
}
