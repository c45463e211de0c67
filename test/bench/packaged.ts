/** The program as the packages have it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../systemd/package/bundle.ts';
import { daemonFlags } from './program.ts';

/** The command with which the bundle is started: Node with the flags of the launcher. */
export async function withBundle<Result>(
  use: (command: readonly string[]) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-bench-bundle-'));
  try {
    await bundle(directory, 'bench');
    return await use([process.execPath, ...daemonFlags(), join(directory, 'main.mjs')]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
