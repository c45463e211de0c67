/**
 * The tarball: one folder, without /etc, because an upgrade must not overwrite the operator's configuration. Order,
 * owners and times are fixed: the same tree gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { normalize } from './normalize.ts';
import { COMPRESSION_THREADS } from './package-build.ts';
import type { PackageBuild } from './package-build.ts';

export function makeTarball(tree: string, work: string, build: PackageBuild): string {
  const name = `migration-agent-${build.version}-linux-${build.architecture}`;
  const folder = join(work, name);
  cpSync(tree, folder, { recursive: true, verbatimSymlinks: true });
  rmSync(join(folder, 'etc'), { recursive: true });
  normalize(folder, build);
  const file = join(build.outputDirectory, `${name}.${build.isFast ? 'tar' : 'tar.xz'}`);
  execFileSync(
    'tar',
    [
      ...['--format=gnu', '--sort=name', `--mtime=@${build.epochS}`],
      ...['--owner=0', '--group=0', '--numeric-owner'],
      ...(build.isFast ? [] : [`--use-compress-program=xz -6 -T${COMPRESSION_THREADS}`]),
      ...['-C', work, '-cf', file, name],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return file;
}
