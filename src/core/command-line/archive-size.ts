/** What the arguments of dd and tar show of the number of bytes that they will process. */
import { defined } from '../lib/defined.ts';

/** The bytes, or the files that have them. */
export interface ExpectedBytes {
  readonly bytes?: number;
  /** Relative to `directory`, or to that of the job. */
  readonly paths?: readonly string[];
  readonly directory?: string;
  /** The size is that of an archive with these files in it. */
  readonly isArchive?: boolean;
  /** dd leaves out so many bytes at the beginning. */
  readonly skipped?: number;
}

/** dd: `count` blocks, or the size of the input file. */
export function bytesOfDd(args: readonly string[]): ExpectedBytes {
  const value = (name: string): string | undefined =>
    args.findLast((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
  const block = ddNumber(value('bs') ?? value('ibs') ?? '512');
  const flags = (value('iflag') ?? '').split(',');
  const count = ddNumber(value('count') ?? '');
  const skip = ddNumber(value('skip') ?? value('iseek') ?? '0');
  if (block === undefined || skip === undefined) return {};
  if (count !== undefined) return { bytes: flags.includes('count_bytes') ? count : count * block };
  const input = value('if');
  const skipped = flags.includes('skip_bytes') ? skip : skip * block;
  return input === undefined ? {} : { paths: [input], skipped };
}

/** `4M`, `4MB`, `512`, `1k`, `2x512`. */
function ddNumber(text: string): number | undefined {
  const factors = text.split('x').map((part) => {
    const [, digits, prefix, suffix] = /^(\d+)(?:([kKMGTPE])(i?B)?|[cwb])?$/.exec(part) ?? [];
    if (digits === undefined) return NaN;
    const unit = { c: 1, w: 2, b: 512 }[part.at(-1) ?? ''] ?? 1;
    if (prefix === undefined) return Number(digits) * unit;
    const power = 'KMGTPE'.indexOf(prefix.toUpperCase()) + 1;
    return Number(digits) * (suffix === 'B' ? 1000 : 1024) ** power;
  });
  const product = factors.reduce((all, factor) => all * factor, 1);
  return Number.isFinite(product) ? product : undefined;
}

/** tar: the files that it packs, or the archive that it unpacks. */
export interface TarSize extends ExpectedBytes {
  /** A checkpoint counts blocks of so many bytes. */
  readonly blockBytes: number;
}

const TAR_VALUED = new Set('f C b T X g N I K L V F H'.split(' '));

export function bytesOfTar(args: readonly string[]): TarSize {
  const words = tarWords(args);
  const factor = Number(words.options.get('b') ?? words.options.get('--blocking-factor') ?? 20);
  const blockBytes = factor > 0 ? factor * 512 : 10_240;
  return { blockBytes, ...(packedFiles(words) ?? plainArchive(words)) };
}

function packedFiles({ options, operands }: TarWords): ExpectedBytes | undefined {
  const packs = options.has('c') || options.has('--create');
  // Files that a list names, or that have changed since the last time.
  const isPart = ['T', '--files-from', 'g', '--listed-incremental'].some((name) =>
    options.has(name),
  );
  if (!packs || isPart || operands.length === 0) return undefined;
  const directory = options.get('C') ?? options.get('--directory');
  return { paths: operands, isArchive: true, ...defined({ directory }) };
}

/** A compressed archive has fewer bytes than tar counts. */
function plainArchive({ options }: TarWords): ExpectedBytes | undefined {
  const archive = options.get('f') ?? options.get('--file');
  const unpacks = ['x', '--extract', '--get'].some((name) => options.has(name));
  return unpacks && archive?.endsWith('.tar') === true ? { paths: [archive] } : undefined;
}

interface TarWords {
  readonly options: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

/** The options with their values, and the other words. `tar cf a.tar dir` has its options without a hyphen. */
function tarWords(args: readonly string[]): TarWords {
  const options = new Map<string, string>();
  const operands: string[] = [];
  const words = [...args];
  if (/^[A-Za-z]+$/.test(words[0] ?? '')) {
    for (const letter of words.shift() ?? '') {
      options.set(letter, TAR_VALUED.has(letter) ? (words.shift() ?? '') : '');
    }
  }
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') operands.push(...words.splice(0));
    else if (word.startsWith('--')) takeLong(word, words, options);
    else if (word.startsWith('-') && word !== '-') takeShort(word.slice(1), words, options);
    else operands.push(word);
  }
  return { options, operands };
}

function takeLong(word: string, words: string[], options: Map<string, string>): void {
  const [name = '', value] = word.split(/=(.*)/s);
  const isSeparate = /^--(?:file|directory|blocking-factor|files-from|exclude-from)$/.test(name);
  options.set(name, value ?? (isSeparate ? (words.shift() ?? '') : ''));
}

function takeShort(letters: string, words: string[], options: Map<string, string>): void {
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters.charAt(at);
    if (!TAR_VALUED.has(letter)) options.set(letter, '');
    else {
      options.set(letter, at + 1 < letters.length ? letters.slice(at + 1) : (words.shift() ?? ''));
      return;
    }
  }
}
