/**
 * Text of jobs and services on a terminal: without control characters, which could repaint or command it, and
 * measured in columns rather than characters.
 */
import { stripVTControlCharacters } from 'node:util';

const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const ELLIPSIS = '…';
/** What `styleText` puts around a text. */
const COLOUR = /(\p{Cc}\[[\d;]*m)/u;
/** Made at its first use: it loads data of its own, a tenth of what a command costs. */
let segmenter: Intl.Segmenter | undefined;

/** One line, nothing that a terminal would obey. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim();
}

/** Columns that the text takes. */
export function displayWidth(text: string): number {
  // Most text is ASCII, and its length is its width.
  if (/^[ -~]*$/.test(text)) return text.length;
  return characters(text).reduce((width, character) => width + characterWidth(character), 0);
}

/** Cut to at most `width` columns, with a sign that something is missing. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let result = '';
  let left = width - 1;
  for (const character of characters(text)) {
    left -= characterWidth(character);
    if (left < 0) break;
    result += character;
  }
  return width < 1 ? '' : result + ELLIPSIS;
}

/** As `truncate`, for a line that has colours in it. */
export function clip(painted: string, width: number): string {
  const parts = painted.split(COLOUR);
  const isColour = (index: number): boolean => index % 2 === 1;
  const text = parts.filter((_part, index) => !isColour(index)).join('');
  if (displayWidth(text) <= width) return painted;
  let left = width;
  return parts
    .map((part, index) => {
      // Those after the cut as well: one of them ends the colour.
      if (isColour(index)) return part;
      const cut = left < 1 ? '' : displayWidth(part) < left ? part : truncate(`${part} `, left);
      left = displayWidth(part) < left ? left - displayWidth(part) : 0;
      return cut;
    })
    .join('');
}

/** Lines of at most `width` columns, broken between words; a word too long for a line is broken. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => pieces(long, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= room) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines;
}

function pieces(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const result: string[] = [];
  let piece = '';
  for (const character of characters(word)) {
    if (piece !== '' && displayWidth(piece + character) > width) {
      result.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...result, piece];
}

function characters(text: string): string[] {
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function characterWidth(character: string): number {
  return WIDE.test(character) ? 2 : 1;
}
