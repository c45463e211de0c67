/** Secrets that a phrase announces: headers, SQL, netrc, password files, pipes into programs that ask for a password. */
import { MASK, valueAt } from './secret-value.ts';

/** A piece of every phrase below, so that an ordinary line is read once instead of once for each. */
const PIECE =
  /authoriz|cookie|bearer|basic|identified|using|password|requirepass|(?:master|primary)auth|logon|[-<>*=][ \t]{0,4}PASS|[pg]server:|sserver:|secret,|securestring|<<<|echo|printf|:(?:\d{3,5}|\*):|conn/i;

export function maskPhrases(text: string): string {
  if (!PIECE.test(text)) return text;
  let masked = maskHeaders(text);
  for (const phrase of PHRASES) masked = maskAfter(masked, phrase);
  return masked
    .replace(PIPED, `$1 ${MASK} |`)
    .replace(PGPASS, `$1${MASK}`)
    .replace(OWNER_AND_PASSWORD, `$1${MASK}$2`);
}

/** `Authorization: Bearer …` and cookies, up to a closing quote or the line's end. */
function maskHeaders(text: string): string {
  return text
    .replace(
      /((?:authorization|cookie)\\{0,8}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,8}["']?)((?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)[ \t]{1,8})?[^"'\s\\][^"'\r\n]*/gi,
      (_, name: string, scheme: string | undefined) => `${name}${scheme ?? ''}${MASK}`,
    )
    .replace(/(?<![A-Za-z0-9])((?:bearer|basic)[ \t]{1,8})[A-Za-z0-9._~+/=-]{16,}/gi, `$1${MASK}`);
}

/** Words after `password` that make it a sentence. */
const PROSE =
  '(?!(?:for|is|was|of|or|and|to|from|in|on|not|has|must|auth\\w*|file|prompt|required|expired|failed|incorrect|changed|command)\\b)';

/** What stands right before a secret. */
export const PHRASES: readonly RegExp[] = [
  // SQL: MySQL, Oracle; `identified by values 'hash'`, `identified with plugin as 'hash'`
  /\bidentified\s{1,8}(?:with\s{1,8}\S{1,64}\s{1,8})?(?:by|as)\s{1,8}(?:(?:password|values)\s{1,8})?/gi,
  /\bidentified\s{1,8}by\s{1,8}\S{1,128}\s{1,8}replace\s{1,8}/gi,
  /\bconnect\s{1,8}to\s{1,8}\S{1,64}\s{1,8}user\s{1,8}\S{1,64}\s{1,8}using\s{1,8}/gi,
  // netrc, GoldenGate
  new RegExp(
    `(?<!\\S)(?:machine|login|account|userid(?:alias)?)\\s{1,8}[^\\s:;]{0,252}[^\\s:;.]\\s{1,8}password\\s{1,8}${PROSE}`,
    'gi',
  ),
  // Redis, Teradata, an FTP dialogue, CVS, qemu, PowerShell
  /^[ \t]{0,8}(?:requirepass|masterauth|primaryauth)[ \t]{1,8}/gim,
  /\.logon[ \t]{1,4}[\w./-]{1,128},/gi,
  /^[-<>*=]{1,5}[ \t]{0,4}PASS[ \t]{1,4}/gm,
  /:(?:pserver|gserver|sserver):[\w.-]{1,64}:/g,
  /\bsecret,(?:[\w-]{1,20}=[^,\s]{0,64},){0,4}data=/g,
  /\bConvertTo-SecureString[ \t]{1,4}(?:-String[ \t]{1,4})?(?=[^-\s])/gi,
  // A here-string
  /\b(?:chpasswd|cryptsetup|sudo[ \t]{1,4}-S|--(?:password-)?stdin)\b[^\r\n<]{0,100}<<<[ \t]{0,4}/g,
];

function maskAfter(text: string, phrase: RegExp): string {
  const pieces: string[] = [];
  let from = 0;
  phrase.lastIndex = 0;
  for (let match = phrase.exec(text); match !== null; match = phrase.exec(text)) {
    const value = valueAt(text, phrase.lastIndex, { semicolon: true });
    if (value === undefined) continue;
    pieces.push(text.slice(from, value.start), MASK);
    from = value.end;
    phrase.lastIndex = value.end;
  }
  return from === 0 ? text : pieces.join('') + text.slice(from);
}

/** `echo secret | sudo -S program`. */
const PIPED =
  /\b(echo(?:[ \t]{1,4}-[neE]{1,3})?|printf)[ \t]{1,4}[^|\r\n]{1,200}\|(?=[^|\r\n]{0,120}(?:sudo[ \t]{1,4}-S|--(?:password-)?stdin|\bchpasswd|\bcryptsetup|\bkinit|--passphrase-fd[ =]0|-pass(?:in)?[ \t]stdin))/g;

/** A line of ~/.pgpass: host, port, database, user, password. */
const PGPASS =
  /^(?![0-9a-f:.]+$)((?:[\w.*-]{1,253}|\[?[0-9a-f:]{2,45}\]?):(?:\d{3,5}|\*):[^\s:]{1,63}:[^\s:/]{1,63}:)[^\s:]\S*$/gim;

/** Oracle in a script: `connect scott/tiger@orcl`. */
const OWNER_AND_PASSWORD =
  /^((?:SQL>|RMAN>)?[ \t]{0,8}conn(?:ect)?[ \t]{1,8}(?:target[ \t]{1,8}|catalog[ \t]{1,8})?["']?[\w$#]{1,128}\/)[^\s@/][^\s@]{0,128}(@?)/gim;
