/**
 * An operator has prepared the state directory for sharing: with the set-group-ID bit, with an access control list that is
 * inherited, open to everybody's look. What the agent and the shim make in it is nobody else's all the same.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeRun, sh, withHosts } from '../jobs/support.ts';

const OTHER = 61_236;
const lacking =
  process.getuid?.() !== 0
    ? 'needs root'
    : spawnSync('setfacl', ['--version']).status === 0
      ? ''
      : 'needs setfacl';

/** Everything below the directory that the other user, who is in its group, can open or enter. */
function reachable(directory: string): string[] {
  const find = 'find "$1" -mindepth 1 \\( -readable -o -writable -o -type d -executable \\)';
  const options = { uid: OTHER, gid: OTHER, cwd: '/', encoding: 'utf8', stdio: 'pipe' } as const;
  return spawnSync('sh', ['-c', find, 'sh', directory], options).stdout.split('\n').filter(Boolean);
}

test.skipIf(lacking !== '')(
  `an inherited access control list opens nothing of a run${lacking === '' ? '' : ` (skipped: ${lacking})`}`,
  () =>
    withHosts(async (newHost) => {
      const host = newHost();
      chownSync(host.directory, 0, OTHER);
      chmodSync(host.directory, 0o2755);
      execFileSync('setfacl', ['-d', '-m', `u:${OTHER}:rwx,g::rwx,o::rwx`, host.directory]);
      const run = makeRun(sh('seq -f "line %.0f" 60000; sleep 1.2; exit 3'), {
        user: 'nobody',
        log: { sizeBytes: 200_000, files: 3 },
      });
      host.host.start(run);
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 3 });
      const made = readdirSync(host.directory, { recursive: true }).map(String);
      expect(made.some((name) => name.endsWith('exit.1'))).toBe(true);
      expect(reachable(host.directory)).toEqual([]);
      // The list is really inherited: what is made without a mode of its own is open.
      execFileSync('sh', ['-c', ': >"$1/open"', 'sh', host.directory]);
      expect(reachable(host.directory)).toEqual([`${host.directory}/open`]);
    }),
);
