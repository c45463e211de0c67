/** Permissions and times that do not depend on who builds, when, or with which umask. */
import { chmodSync, lutimesSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { PackageBuild } from './package-build.ts';

const EXECUTABLES = new Set([
  'usr/libexec/migration-agent/migration-agent',
  'usr/libexec/migration-agent/node',
  'usr/lib/systemd/system-generators/migration-agent-generator',
  ...['postinst', 'prerm', 'postrm'].map((name) => `DEBIAN/${name}`),
]);

export function normalize(tree: string, { epochS }: PackageBuild): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isSymbolicLink()) {
      const isExecutable = entry.isDirectory() || EXECUTABLES.has(relative(tree, path));
      chmodSync(path, isExecutable ? 0o755 : 0o644);
    }
    lutimesSync(path, epochS, epochS);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, epochS, epochS);
}

export function filesOf(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
