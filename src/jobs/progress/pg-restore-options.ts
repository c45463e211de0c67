/**
 * The arguments of pg_restore as getopt_long reads them: groups of letters, values in the same word or the next one, long names
 * that are cut, and operands anywhere. PostgreSQL 12 to 18.
 */

/** Letters with what follows them, as in pg_restore.c. A colon: the letter has a value. */
const LETTERS = 'acCd:ef:F:h:I:j:lL:n:N:Op:P:RsS:t:T:U:vwWxX:1';

/** Options of -l, too: they choose entries of the archive. */
const SELECTING = new Set('a C I L n N P s t T x'.split(' '));

/** Long names of letters, then those without a letter. */
const LONG: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'clean=c create=C data-only=a dbname=d exit-on-error=e exclude-schema=N file=f format=F function=P host=h index=I ' +
    'jobs=j list=l no-privileges=x no-acl=x no-owner=O no-reconnect=R port=p no-password=w password=W schema=n ' +
    'schema-only=s superuser=S single-transaction=1 table=t trigger=T use-list=L username=U verbose=v'
  )
    .split(' ')
    .map((pair) => pair.split('=') as [string, string]),
);
const VALUED = new Set(
  'role section filter transaction-size exclude-database restrict-key'.split(' '),
);
const SELECTING_NAMES = new Set(
  (
    'section filter strict-names no-comments no-publications no-subscriptions no-security-labels no-policies no-data ' +
    'no-schema no-statistics statistics statistics-only'
  ).split(' '),
);
const FLAGS = new Set(
  (
    'no-data-for-failed-tables disable-triggers enable-row-security if-exists no-tablespaces no-table-access-method ' +
    'use-set-session-authorization globals-only version help'
  ).split(' '),
);
const NAMES = [...new Set([...Object.keys(LONG), ...VALUED, ...SELECTING_NAMES, ...FLAGS])];

export interface PgRestoreArguments {
  /** Options that select entries, each word as `pg_restore -l` takes it. */
  readonly selection: readonly string[];
  readonly operands: readonly string[];
}

export function pgRestoreArguments(args: readonly string[]): PgRestoreArguments {
  const selection: string[] = [];
  const operands: string[] = [];
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') operands.push(...words.splice(0));
    else if (word.startsWith('--')) selection.push(...longOption(word.slice(2), words));
    else if (word.startsWith('-') && word !== '-') selection.push(...letters(word.slice(1), words));
    else operands.push(word);
  }
  return { selection, operands };
}

function longOption(text: string, words: string[]): string[] {
  const [written = '', given] = text.split(/=(.*)/s);
  const name = wholeName(written);
  const letter = LONG[name];
  const hasValue = letter === undefined ? VALUED.has(name) : LETTERS.includes(`${letter}:`);
  const value = given ?? (hasValue ? words.shift() : undefined);
  const isSelecting = letter === undefined ? SELECTING_NAMES.has(name) : SELECTING.has(letter);
  if (!isSelecting) return [];
  return [value === undefined ? `--${name}` : `--${name}=${value}`];
}

/** getopt takes the beginning of a name, if no other begins like it. */
function wholeName(written: string): string {
  const begins = NAMES.filter((name) => name.startsWith(written));
  return begins.length === 1 && begins[0] !== undefined ? begins[0] : written;
}

/** `-avn sales`, `-nsales`. */
function letters(group: string, words: string[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < group.length; at += 1) {
    const letter = group.charAt(at);
    if (!LETTERS.includes(`${letter}:`)) {
      if (SELECTING.has(letter)) found.push(`-${letter}`);
      continue;
    }
    const value = at + 1 < group.length ? group.slice(at + 1) : words.shift();
    if (SELECTING.has(letter) && value !== undefined) found.push(`-${letter}`, value);
    break;
  }
  return found;
}
