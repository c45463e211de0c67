/**
 * Finds the account that a job runs as. /etc/passwd first; then `getent`, which also asks directory
 * services. Whether the agent may become that user is found out by trying.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorText } from '../lib/error-code.ts';

export interface JobUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Directory services may be slow, and may be away. */
const LOOKUP_MS_MAX = 10_000;

/** The name service did not answer, or could not be asked: whether it knows the user is unknown. */
export class NameServiceSilent extends Error {
  override readonly name = 'NameServiceSilent';
}

/** A name or a number. Absent: nobody knows this user. Throws `NameServiceSilent`. */
export async function findUser(
  nameOrUid: string,
  limitMs = LOOKUP_MS_MAX,
): Promise<JobUser | undefined> {
  const listed = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map(parseEntry)
    .find((user) => user?.name === nameOrUid);
  const found = listed ?? (await askNameService(nameOrUid, limitMs));
  // getent cuts a number to 32 bits: 4294967296 would be root.
  const isOther =
    found !== undefined && found.name !== nameOrUid && found.uid !== Number(nameOrUid);
  return isOther ? undefined : found;
}

async function askNameService(nameOrUid: string, limitMs: number): Promise<JobUser | undefined> {
  try {
    const options = { timeout: limitMs, killSignal: 'SIGKILL' } as const;
    const { stdout } = await promisify(execFile)('getent', ['--', 'passwd', nameOrUid], options);
    return parseEntry(stdout.trim());
  } catch (error) {
    const { code, killed } = error as { readonly code?: unknown; readonly killed?: boolean };
    // An exit code means not found (2, see getent(1)); a host without getent has /etc/passwd only.
    if (typeof code === 'number' || code === 'ENOENT') return undefined;
    const why =
      killed === true ? `no answer within ${limitMs / 1000} s` : `getent: ${errorText(error)}`;
    throw new NameServiceSilent(`the name service cannot be asked for user ${nameOrUid}: ${why}`);
  }
}

/** `name:password:uid:gid:comment:home:shell` (passwd(5)). */
function parseEntry(line: string): JobUser | undefined {
  const [name, , uid, gid, , home] = line.split(':');
  if (name === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return undefined;
  return {
    name,
    uid: Number(uid),
    gid: Number(gid),
    home: home === undefined || home === '' ? '/' : home,
  };
}
