/** What an operator can do about a failed connection, for the codes of Node and OpenSSL that do not explain it. */

const UNKNOWN_AUTHORITY =
  'this host does not trust the authority that signed the certificate; if a proxy intercepts TLS, set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS (or ca_bundle of the profile) to the file with its authority';
const UNKNOWN_NAME = 'check the name, DNS, and whether a proxy is needed (aws.proxy, HTTPS_PROXY)';
const NO_TLS =
  'the server does not speak TLS: check http or https in the endpoint and in the proxy';

const REMEDIES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired, or this host's clock is wrong",
  CERT_NOT_YET_VALID: "the certificate is not valid yet, or this host's clock is wrong",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate belongs to another host: the endpoint or DNS is wrong, or a portal answers',
  ENOTFOUND: UNKNOWN_NAME,
  EAI_AGAIN: UNKNOWN_NAME,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
};

/** `undefined`: the error explains itself, or no remedy is known. */
export function remedyOf(code: string | undefined): string | undefined {
  return code === undefined ? undefined : REMEDIES[code];
}

/** The error's code, or that of its cause. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}
