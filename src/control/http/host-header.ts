/**
 * Which `Host` the TCP listener answers to. A page that the operator's browser has open can make its own name point to
 * this address (DNS rebinding) and would then read the answers as its own. The name in `Host` gives that away: IP
 * addresses and localhost cannot be rebound, other names must be configured.
 */
import { isIP } from 'node:net';

/** Whether a request with this `Host` header is answered. Without one it comes from no browser: HTTP/1.0. */
export function isHostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined) return true;
  const [, literal, name] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/.exec(host) ?? [];
  if (literal !== undefined) return isIP(literal) === 6;
  if (name === undefined) return false;
  const plain = name.toLowerCase().replace(/\.$/, '');
  return (
    isIP(plain) === 4 ||
    plain === 'localhost' ||
    allowed.some((one) => one.toLowerCase().replace(/\.$/, '') === plain)
  );
}
