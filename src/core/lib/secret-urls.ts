/** Secrets in URLs and in addresses of databases. */
import { MASK } from './secret-value.ts';
import type { Span } from './secret-value.ts';

export function maskUrls(text: string): string {
  const withScheme = text.includes('://') ? text.replace(/\S+/g, maskUrlsInWord) : text;
  const bare = withScheme.includes('@')
    ? withScheme.replace(BARE_ADDRESS, maskBareAddress)
    : withScheme;
  const oracle = bare.includes('jdbc:') ? bare.replace(ORACLE, `$1${MASK}`) : bare;
  return oracle.includes('hook') ? oracle.replace(WEBHOOK, `$1${MASK}`) : oracle;
}

/** `scheme://user:secret@host`: the secret. A secret with an unescaped `/` or `@` is masked whole too. */
function maskUrlsInWord(word: string): string {
  let masked = '';
  let from = 0;
  const lastAt = word.lastIndexOf('@');
  for (let start = word.indexOf('://'); start >= 0; start = word.indexOf('://', from)) {
    const authority = start + 3;
    const rest = word.slice(authority);
    const scheme =
      /[A-Za-z0-9+.-]{1,20}$/.exec(word.slice(Math.max(0, start - 20), start))?.[0] ?? '';
    const secret = secretOf(rest, scheme.toLowerCase(), lastAt - authority);
    masked += word.slice(from, authority);
    if (secret === undefined) {
      from = authority;
      continue;
    }
    masked += rest.slice(0, secret.start) + MASK;
    from = authority + secret.end;
  }
  return masked + word.slice(from);
}

function secretOf(rest: string, scheme: string, lastAt: number): Span | undefined {
  const end = rest.search(/[/?#"'<>]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const at = authority.lastIndexOf('@');
  const colon = authority.indexOf(':');
  if (at < 0) return secretWithoutAt(rest, scheme, lastAt, authority);
  if (colon >= 0 && colon < at) return { start: colon + 1, end: at };
  const isToken = at > 0 && WEB.test(scheme) && !USER_NAME.test(authority.slice(0, at));
  return isToken ? { start: 0, end: at } : undefined;
}

/** No `@` before the path, and what follows the colon is no port: a password that was not escaped, or was cut. */
function secretWithoutAt(
  rest: string,
  scheme: string,
  lastAt: number,
  authority: string,
): Span | undefined {
  const colon = authority.indexOf(':');
  const isHost = colon < 0 || authority.startsWith('[');
  if (isHost || (colon > 0 && /^\d*(?:[;,]|$)/.test(authority.slice(colon + 1)))) return undefined;
  if (lastAt > colon) return { start: colon + 1, end: lastAt };
  const isCut = authority.length === rest.length && rest.length > colon + 1;
  return isCut && !IMAGE.test(scheme) ? { start: colon + 1, end: rest.length } : undefined;
}

/** Where a name without a password is rather a token: `https://TOKEN@host`. */
const WEB = /^(?:git\+)?https?$/;
/** A person's or a service's name: letters first, digits last. */
const USER_NAME = /^(?:[A-Z]?[a-z][a-z._-]{0,18}\d{0,4}|ec2-user|\*+|\{\w+\}|\$\{?\w+\}?)$/;
/** `docker://nginx:latest`. */
const IMAGE = /^(?:docker|docker-daemon|docker-archive|oci|oci-archive|containers-storage|npm)$/;

/** `user:secret@host:5432/db` and Go's `user:secret@tcp(host:3306)/db`, which have no scheme. */
const BARE_ADDRESS =
  /(?<![\w.:/@%+-])([A-Za-z_][\w.%+-]{0,63}):([^\s:@/"'<>][^\s:@"'<>]{0,127})@(?=(?:tcp|unix)\(|(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{2,5}\b|\/))/g;

function maskBareAddress(whole: string, user: string): string {
  return NO_USER.test(user) ? whole : `${user}:${MASK}@`;
}

/** What stands before the colon of an address for mail, of a package or of an image. */
const NO_USER = /^(?:mailto|to|from|cc|bcc|sips?|xmpp|acct|npm|workspace|user|email|e-mail)$/i;

/** `jdbc:oracle:thin:scott/tiger@//host:1521/service`. */
const ORACLE = /(jdbc:oracle:[a-z0-9]{2,5}:[\w$#]{1,128}\/)[^\s"']{1,128}?(?=@)/gi;

/** Addresses that are secrets themselves: whoever has one may post. */
const WEBHOOK =
  /((?:hooks\.slack\.com\/(?:services|workflows|triggers)|discord(?:app)?\.com\/api\/webhooks|webhook\.office\.com\/webhookb2|hooks\.zapier\.com\/hooks\/catch)\/)[A-Za-z0-9_/@.-]{8,}/g;
