/** The script that runs as root when the package is removed believes and repeats nothing that another user claims. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { scriptlet } from '../../systemd/package/scriptlet.ts';

const isRoot = process.getuid?.() === 0;
/** ATTACKED_TREE: another checkout, to see an attack succeed against its code (attack.config.ts). */
const TREE = process.env['ATTACKED_TREE'] ?? join(import.meta.dirname, '../..');

test.skipIf(!isRoot)(
  'a process of another user with the mark of a job does not keep the package from being removed (needs root)',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-prerm-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const script = join(directory, 'prerm');
    writeFileSync(script, scriptlet(join(TREE, 'systemd/package/debian/prerm')));
    // No systemd of this host is asked to stop anything.
    writeFileSync(join(directory, 'deb-systemd-invoke'), '#!/bin/sh\n', { mode: 0o755 });
    const claimed = `claimed-by-a-stranger-${process.pid}\u001b]0;pwned\u0007`;
    const stranger = spawn('/bin/sleep', ['600'], {
      ...{ uid: 61_237, gid: 61_237, cwd: '/', stdio: 'ignore' },
      env: { MIGRATION_JOB: claimed },
    });
    await once(stranger, 'spawn');
    try {
      const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
      const { stderr, stdout } = spawnSync('sh', [script, 'remove'], { encoding: 'utf8', env });
      // Jobs of an agent that really runs on this host may be named.
      expect(stdout + stderr).not.toContain('claimed-by-a-stranger');
      expect(stdout + stderr).not.toContain('\u001b');
    } finally {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  },
);
