/**
 * The agent finds the processes of a job among all of the host and kills them. A mutant of that takes others for them, up to
 * the shell of whoever tries it, and one that kills nothing leaves processes that go on spawning. So each process that runs
 * tests has a pid namespace of its own, in which it sees nothing else, and which ends with it. It also ends with the process that
 * tries mutants, however that ends.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * From now on what this process forks is confined; the function that is returned ends that. Without namespaces on this host
 * nothing is confined, which is an error if the mutants need it.
 */
export function confineForks(isNeeded: boolean): () => void {
  const asUser = process.geteuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const unshare = ['unshare', ...asUser, '--pid', '--fork', '--mount-proc', '--kill-child'];
  const probe = spawnSync('unshare', [...unshare.slice(1), 'true'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    if (!isNeeded) return () => undefined;
    const reason = probe.error?.message ?? probe.stderr.trim();
    throw new Error(
      `mutants of jobs may kill every process of yours, and this host gives them no pid namespace: ${reason}`,
    );
  }
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-confined-'));
  const wrapper = join(directory, 'node');
  const program = process.execPath;
  // The first process of a namespace is the parent of all that lose theirs. A shell waits for them, Node would not.
  const first = `'"$@"; exit $?'`;
  const text = `#!/bin/sh\nexec setpriv --pdeathsig KILL ${unshare.join(' ')} sh -c ${first} sh '${program}' "$@"\n`;
  writeFileSync(wrapper, text, { mode: 0o755 });
  process.execPath = wrapper;
  return () => {
    process.execPath = program;
    rmSync(directory, { recursive: true });
  };
}
