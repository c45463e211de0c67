/** The two archives. Order, owners and times are fixed: the same tree gives the same bytes. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { Build } from './build.ts';
import type { Architecture } from './runtime.ts';
import { MAINTAINER } from './changelog.ts';

const DEBIAN = join(import.meta.dirname, 'debian');
const DEBIAN_NAME: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const EXECUTABLES = new Set([
  'usr/lib/migration-agent/migration-agent',
  'usr/lib/migration-agent/node',
  ...SCRIPTS.map((name) => `DEBIAN/${name}`),
]);
/** The encoder cuts its input into blocks when it has threads, one or many: two everywhere, or the bytes differ. */
const THREADS = '2';

/** Below one folder, without /etc: an upgrade must not write over the operator's configuration. */
export function makeTarball(tree: string, work: string, build: Build): string {
  const name = `migration-agent-${build.version}-linux-${build.architecture}`;
  const folder = join(work, name);
  cpSync(tree, folder, { recursive: true, verbatimSymlinks: true });
  const examples = join(folder, 'usr/share/doc/migration-agent/examples');
  renameSync(join(folder, 'etc/migration-agent/config.yaml'), join(examples, 'config.yaml'));
  rmSync(join(folder, 'etc'), { recursive: true });
  settle(folder, build);
  const extension = build.isFast ? 'tar' : 'tar.xz';
  const file = join(build.output, `${name}.${extension}`);
  execFileSync(
    'tar',
    [
      ...['--format=gnu', '--sort=name', `--mtime=@${build.epochS}`],
      ...['--owner=0', '--group=0', '--numeric-owner'],
      ...(build.isFast ? [] : [`--use-compress-program=xz -6 -T${THREADS}`]),
      ...['-C', work, '-cf', file, name],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return file;
}

export function makeDeb(tree: string, build: Build): string {
  const control = join(tree, 'DEBIAN');

  const overrides = join(tree, 'usr/share/lintian/overrides');
  mkdirSync(overrides, { recursive: true });
  cpSync(join(DEBIAN, 'lintian-overrides'), join(overrides, 'migration-agent'));
  const files = filesOf(tree);
  mkdirSync(control);
  for (const name of SCRIPTS) cpSync(join(DEBIAN, name), join(control, name));
  writeFileSync(join(control, 'conffiles'), '/etc/migration-agent/config.yaml\n');
  writeFileSync(join(control, 'md5sums'), md5sums(tree, files));
  const sizeKib = Math.ceil(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1024);
  const fields = readFileSync(join(DEBIAN, 'control'), 'utf8')
    .replace('@VERSION@', build.version)
    .replace('@ARCHITECTURE@', DEBIAN_NAME[build.architecture])
    .replace('@MAINTAINER@', MAINTAINER)
    .replace('@SIZE@', String(sizeKib));
  writeFileSync(join(control, 'control'), fields);
  settle(tree, build);
  const name = `migration-agent_${build.version}_${DEBIAN_NAME[build.architecture]}.deb`;
  const file = join(build.output, name);
  execFileSync(
    'dpkg-deb',
    [
      ...['--root-owner-group', '--uniform-compression'],
      ...(build.isFast ? ['-Znone'] : ['-Zxz', '-z6', `--threads-max=${THREADS}`]),
      ...['--build', tree, file],
    ],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(build.epochS) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return file;
}

/** Rights and times that do not hang on who builds. */
function settle(root: string, { epochS }: Build): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isSymbolicLink()) {
      const isRun = entry.isDirectory() || EXECUTABLES.has(relative(root, path));
      chmodSync(path, isRun ? 0o755 : 0o644);
    }
    lutimesSync(path, epochS, epochS);
  }
  chmodSync(root, 0o755);
  lutimesSync(root, epochS, epochS);
}

function filesOf(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

function md5sums(tree: string, files: readonly string[]): string {
  return files
    .map((file) => [
      relative(tree, file),
      createHash('md5').update(readFileSync(file)).digest('hex'),
    ])
    .filter(([path]) => path?.startsWith('etc/') === false)
    .map(([path, sum]) => `${sum}  ${path}\n`)
    .join('');
}
