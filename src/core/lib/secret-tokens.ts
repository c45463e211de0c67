/**
 * Tokens that name themselves, wherever they stand. The prefixes are those that the rules of gitleaks and secretlint
 * know; config/SECRETS.md lists them.
 *
 * Each pattern starts where no longer run of its letters could, and nothing follows its last quantifier but the end of
 * the text, so that it is linear. Text may be cut at its end: a token whose prefix is unmistakable is known by less.
 */
import { MASK } from './secret-value.ts';

/** Prefixes that nothing else begins with. */
export const UNMISTAKABLE = [
  // GitHub, GitLab
  ...['gh[pousr]_', 'github_pat_', 'gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|ffct|oas|wt)-'],
  // Slack
  ...['xox[abeoprsc](?:\\.xox[bp])?-', 'xapp-\\d-'],
  // Amazon: temporary credentials, Bedrock
  ...['IQoJb3JpZ2lu', 'F[wQ]oGZXIvYXdz', 'ABSK[A-Za-z0-9]{4}'],
  // Google
  ...['AIza', 'ya29\\.', 'GOCSPX-'],
  // HashiCorp, Pulumi, Doppler
  ...[
    'hv[sbr]\\.',
    '[A-Za-z0-9]{14}\\.atlasv1\\.',
    'pul-[0-9a-f]{4}',
    'dp\\.(?:pt|st|ct|sa|scim|audit)\\.',
  ],
  // Payment
  ...[
    '[srp]k_(?:live|test|prod)_',
    'whsec_',
    'sq0(?:atp|csp)-',
    'shp(?:at|ca|pa|ss)_',
    'FLWSECK(?:_TEST)?-',
  ],
  // Package registries
  ...[
    'npm_[A-Za-z0-9]',
    'pypi-AgE',
    'rubygems_',
    'dckr_(?:pat|oat)_',
    'AKCp[A-Za-z0-9]{4}',
    'CLOJARS_',
  ],
  // Clouds and hosting
  ...[
    'do[opr]_v1_',
    'HRKU-',
    'fo1_',
    'FlyV1 fm\\d_',
    'tskey-[a-z]{2,10}-',
    'sbp_[0-9a-f]',
    'sb_secret_',
    'pscale_(?:tkn|pw|oauth)_',
  ],
  // Build and operation
  ...[
    'dapi[0-9a-f]{4}',
    'glsa_',
    'sntr[yu]s_',
    'NR(?:AK|JS|II|RA)-',
    'dt0[cs]\\d\\d\\.',
    'bk(?:ua|ct|pt)_',
    'CCIP(?:AT|RJ)_',
    'sq[pua]_[0-9a-f]{4}',
    'PMAK-',
  ],
  // Mail, work, models
  ...[
    'xkeysib-',
    'xsmtpsib-',
    'ATATT3',
    'ATCTT3',
    'ATBB[A-Za-z0-9]{4}',
    'lin_api_',
    'ntn_[A-Za-z0-9]',
    'figd_',
    'pplx-[A-Za-z0-9]{4}',
    'gsk_[A-Za-z0-9]{4}',
    'xai-[A-Za-z0-9]{4}',
    'hf_[A-Za-z]{6}',
    'r8_[A-Za-z0-9]{6}',
    'sk-(?:ant|proj|svcacct|admin|or-v1)-',
    'ops_eyJ',
  ],
  // age
  ...['AGE-SECRET-KEY-'],
];

const BODY = '[A-Za-z0-9_.~+/=-]';
const BY_PREFIX = new RegExp(
  `(?<![A-Za-z0-9_-])(?:${UNMISTAKABLE.join('|')})(?:${BODY}{10,}|${BODY}{1,9}$)`,
  'g',
);

/**
 * A piece of every prefix above, so that an ordinary line is read once instead of once for each form. The test of the corpus
 * compares the masking with and without such pieces.
 */
const PREFIX_PIECE = new RegExp(
  [
    '(?:gh[pousr]|[po]at|[srp]k|whsec|shp..|npm|gems|CLOJARS|do[opr]|fo1|sbp|sb|pscale|glsa|sntr.s)_',
    '(?:bk..|CCIP..|sq[pua]|lin|ntn|figd|gsk|hf|r8|ops)_',
    '(?:gl[a-z]{2,5}|xox[a-z]|xapp|SPX|pul|csp|atp|SECK|TEST|HRKU|tskey|NR..|PMAK|sib|pplx|xai|sk|KEY)-',
    'hv[sbr]\\.|ya29|\\.atlasv1|dp\\.|IQoJ|GZXI|ABSK|AIza|ATATT|ATCTT|ATBB|AKCp|FlyV1|dapi|dt0|pypi',
  ].join('|'),
);

/** Forms that only their length or their parts tell from a word. */
export const BY_FORM: readonly RegExp[] = [
  // A JSON web token or key: base64url parts of which the first starts with `{"`. Cut off as well.
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*|(?=\.?$)(?<=eyJ[A-Za-z0-9_-]{17,}))/g,
  // SendGrid, Mailgun, Mailchimp, Twilio, OpenAI, Postmark
  /(?<![A-Za-z0-9_.-])SG\.[A-Za-z0-9_-]{6,40}(?:\.[A-Za-z0-9_-]{6,80}|$)/g,
  /(?<![A-Za-z0-9_-])(?:pub)?key-[0-9a-f]{32}(?![0-9a-f])/g,
  /(?<![A-Za-z0-9_-])[0-9a-f]{32}-us\d{1,2}(?![A-Za-z0-9])/g,
  /(?<![A-Za-z0-9_-])SK[0-9a-f]{32}(?![0-9a-f])/g,
  /(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{20,}/g,
  // Google refresh token, Azure client secret, Vault before 1.10, NuGet, crates.io, Lob
  /(?<![A-Za-z0-9_-])1\/\/0[A-Za-z0-9_-]{30,}/g,
  /(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{30,}/g,
  /(?<![A-Za-z0-9_.-])[sb]\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}(?![A-Za-z0-9.])/g,
  /(?<![A-Za-z0-9_-])oy2[a-z0-9]{43}(?![a-z0-9])/g,
  /(?<![A-Za-z0-9_-])cio[A-Za-z0-9]{32}(?![A-Za-z0-9])/g,
  // Bots: Telegram, Discord
  /(?<![A-Za-z0-9_-])(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{33}/g,
  /(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}/g,
  // Airtable, Figma-like: a prefix, a dot and 64 hex digits
  /(?<![A-Za-z0-9_-])pat[A-Za-z0-9]{14}\.[0-9a-f]{64}/g,
  // Hashes of passwords: crypt(3), Argon2, SCRAM
  /\$(?:1|2[abxy]|5|6|7|g?y|apr1|argon2(?:id?|d)|scrypt|pbkdf2[a-z0-9-]{0,16})\$[A-Za-z0-9./$=,+-]{10,}/g,
  /SCRAM-SHA-(?:1|256)\$[^\s"']{10,}/g,
];

/** The same for the forms. */
const FORM_PIECE =
  /eyJ|SG\.|key-|-us\d|SK[0-9a-f]|sk-|1\/\/0|Q~|[sb]\.[A-Za-z0-9]{24}|oy2|cio|:AA|\.[A-Za-z0-9_-]{6}\.|pat[A-Za-z0-9]{14}|\$|SCRAM/;

/** Every token is at least as long, its prefix included, and has no white space. */
const LONG_WORD = /[A-Za-z0-9_.~+/=$:-]{12}|(?:[_.-]|eyJ)[A-Za-z0-9_.~+/=-]{0,9}$/;

/**
 * An access key id (IAM user guide, "IAM identifiers") with its 40 character secret near it, as in a CSV, or a
 * beginning of one at the end of the text.
 */
const KEY_PAIR =
  /((?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])[^A-Za-z0-9/+=]{1,8}(?:[^\r\n]{0,32}[^A-Za-z0-9/+=])?)(?:[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])|[A-Za-z0-9/+=]{20,39}$)/g;
const PAIR_REVERSED =
  /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?=[^A-Za-z0-9/+=]{1,8}(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9]))/g;

export function maskTokens(text: string): string {
  if (!LONG_WORD.test(text)) return text;
  let masked = PREFIX_PIECE.test(text) ? text.replace(BY_PREFIX, MASK) : text;
  if (FORM_PIECE.test(masked)) {
    for (const form of BY_FORM) masked = masked.replace(form, MASK);
  }
  if (!/AKIA|ASIA/.test(masked)) return masked;
  return masked.replace(KEY_PAIR, `$1${MASK}`).replace(PAIR_REVERSED, MASK);
}
