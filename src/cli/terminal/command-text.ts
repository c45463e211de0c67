/** A command line as somebody would type it: words with blanks or signs in quotes. */
import { plain } from './printable.ts';

/** What no shell reads as anything else. */
const PLAIN_WORD = /^[\w@%+=:,./*-]+$/;

export function commandText(words: readonly string[]): string {
  return words.map((word) => quoted(plain(word))).join(' ');
}

function quoted(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
