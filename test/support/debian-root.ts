/**
 * Clean root file systems of Debian releases, to boot boxes from (systemd-box.ts). Made once by mmdebstrap, from the mirror
 * that apt uses here, and kept in node_modules/.cache. If that is not possible, a test is skipped with the reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/migration-agent');
/** What a small server has beside the base. rpm: for the RPM package, whose dependencies dpkg provides here. */
const PACKAGES =
  'systemd,systemd-sysv,mount,dbus,procps,iproute2,libstdc++6,ca-certificates,openssl,rpm,xz-utils';
/** As Debian's installer lays it out, and as every distribution with rpm does: /lib is /usr/lib. */
const MERGED =
  'for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; [ -e "$1/$d" ] || ln -s "usr/$d" "$1/$d"; done';
/** A mirror may be slow. */
const MADE_MS_MAX = 600_000;

export type DebianRelease = 'bullseye' | 'bookworm';

/** The path of the root file system, or the reason why there is none. */
export function debianRoot(release: DebianRelease): { root: string } | { reason: string } {
  const root = join(CACHE, `debian-${release}`);
  if (existsSync(root)) return { root };
  if (process.geteuid?.() !== 0) return { reason: 'needs root' };
  if (spawnSync('mmdebstrap', ['--version']).status !== 0) {
    return { reason: 'mmdebstrap is not installed' };
  }
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'making-'));
  const options = [
    ...['--quiet', '--variant=minbase', `--include=${PACKAGES}`, `--setup-hook=${MERGED}`],
    release,
  ];
  const { status, stderr } = spawnSync('mmdebstrap', [...options, join(work, 'root')], {
    encoding: 'utf8',
    timeout: MADE_MS_MAX,
  });
  try {
    if (status !== 0) {
      return { reason: `no ${release} from the mirror: ${stderr.trim().split('\n').at(-1) ?? ''}` };
    }
    renameSync(join(work, 'root'), root);
    return { root };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
