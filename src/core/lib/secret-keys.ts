/** Blocks of private keys: PEM (RFC 7468), OpenPGP, SSH2 (RFC 4716), OpenVPN, PuTTY. */
import { MASK } from './secret-value.ts';

const BEGIN =
  /-{4,5} ?BEGIN [A-Za-z0-9 ]{0,40}(?:PRIVATE KEY(?: BLOCK)?|Static key V1) ?-{4,5}|Private-Lines: \d{1,4}/g;
const END = /-{4,5} ?END |Private-MAC: /g;
const END_OF_KEY = /-{4,5} ?END [A-Za-z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}/;

export function maskPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY') && !text.includes('Static key') && !text.includes('Private-')) {
    return text;
  }
  let masked = '';
  let from = 0;
  BEGIN.lastIndex = 0;
  for (let begin = BEGIN.exec(text); begin !== null; begin = BEGIN.exec(text)) {
    masked += maskTailOfKey(text.slice(from, begin.index)) + begin[0] + MASK;
    END.lastIndex = BEGIN.lastIndex;
    const end = END.exec(text);
    // Without its end the block was cut: everything after its beginning may be of the key.
    if (end === null) return masked;
    from = end.index;
    BEGIN.lastIndex = from;
  }
  return masked + maskTailOfKey(text.slice(from));
}

/** Text that was cut in the middle of a key: the lines of base64 before an END that has no BEGIN. */
function maskTailOfKey(text: string): string {
  const end = END_OF_KEY.exec(text);
  if (end === null || end.index === 0) return text;
  const before = text.slice(0, end.index);
  const pieces = before.split(/(\s+|(?:\\[nr])+)/);
  let first = pieces.length;
  for (let at = pieces.length - 1; at >= 0; at -= 1) {
    const piece = pieces[at] ?? '';
    const isGap = at % 2 === 1 || piece === '';
    // The last line is shorter than the others; no line is as short as a word of a sentence.
    const lengthMin = first === pieces.length ? 4 : 40;
    if (!isGap && (piece.length < lengthMin || /[^A-Za-z0-9+/=]/.test(piece))) break;
    if (!isGap) first = at;
  }
  if (first === pieces.length) return text;
  return `${pieces.slice(0, first).join('')}${MASK}${text.slice(end.index)}`;
}
