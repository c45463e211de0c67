/**
 * The agent finds the processes of a job among all of the host and kills them. A mutant of that takes others for them, up to
 * the shell of whoever tries it. So mutants are tried where no other process can be seen: in a pid namespace of their own.
 */
import { spawnSync } from 'node:child_process';

const MARK = 'MUTANTS_CONFINED';

/** Undefined: this process is confined, or nothing that is tried needs it. Otherwise it ran again, confined: its exit code. */
export function runConfined(isNeeded: boolean): number | undefined {
  if (process.env[MARK] === 'yes') return undefined;
  const asUser = process.geteuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const confined = [...asUser, '--pid', '--fork', '--mount-proc', '--kill-child'];
  const probe = spawnSync('unshare', [...confined, 'true'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    if (!isNeeded) return undefined;
    const reason = probe.error?.message ?? probe.stderr.trim();
    throw new Error(
      `mutants of jobs may kill every process of yours, and this host gives them no pid namespace: ${reason}`,
    );
  }
  const { status } = spawnSync(
    'unshare',
    [...confined, process.execPath, ...process.argv.slice(1)],
    {
      stdio: 'inherit',
      env: { ...process.env, [MARK]: 'yes' },
    },
  );
  return status ?? 1;
}
