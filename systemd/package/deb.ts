/** The Debian package. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DEBIAN_NAME } from './architecture.ts';
import { filesOf, normalize } from './normalize.ts';
import { COMPRESSION_THREADS, HOMEPAGE, MAINTAINER } from './package-build.ts';
import type { PackageBuild } from './package-build.ts';
import { scriptlet } from './scriptlet.ts';

const DEBIAN = join(import.meta.dirname, 'debian');
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

export function makeDeb(staged: string, work: string, build: PackageBuild): string {
  const tree = join(work, 'deb');
  cpSync(staged, tree, { recursive: true, verbatimSymlinks: true });
  layOut(tree);

  const control = join(tree, 'DEBIAN');
  const files = filesOf(tree);
  mkdirSync(control);
  for (const name of SCRIPTS) {
    writeFileSync(join(control, name), scriptlet(join(DEBIAN, name)));
  }
  const isConfiguration = (file: string): boolean => relative(tree, file).startsWith('etc/');
  const configuration = files.filter(isConfiguration);
  writeFileSync(
    join(control, 'conffiles'),
    configuration.map((file) => `/${relative(tree, file)}\n`).join(''),
  );
  const others = files.filter((file) => !isConfiguration(file) && lstatSync(file).isFile());
  writeFileSync(join(control, 'md5sums'), md5sums(tree, others));
  const sizeKib = Math.ceil(files.reduce((sum, file) => sum + lstatSync(file).size, 0) / 1024);
  const fields = readFileSync(join(DEBIAN, 'control'), 'utf8')
    .replace('@VERSION@', build.version)
    .replace('@ARCHITECTURE@', DEBIAN_NAME[build.architecture])
    .replace('@MAINTAINER@', MAINTAINER)
    .replace('@HOMEPAGE@', HOMEPAGE)
    .replace('@SIZE@', String(sizeKib));
  writeFileSync(join(control, 'control'), fields);
  normalize(tree, build);
  return pack(tree, build);
}

/** Where Debian puts what other distributions keep elsewhere. */
function layOut(tree: string): void {
  const move = (from: string, to: string): void => {
    mkdirSync(join(tree, dirname(to)), { recursive: true });
    renameSync(join(tree, from), join(tree, to));
  };
  move('usr/share/zsh/site-functions', 'usr/share/zsh/vendor-completions');
  const overrides = 'usr/share/lintian/overrides/migration-agent';
  mkdirSync(join(tree, dirname(overrides)), { recursive: true });
  cpSync(join(DEBIAN, 'lintian-overrides'), join(tree, overrides));
  mkdirSync(join(tree, 'etc/default'), { recursive: true });
  cpSync(
    join(tree, 'usr/share/migration-agent/environment'),
    join(tree, 'etc/default/migration-agent'),
  );
}

function pack(tree: string, build: PackageBuild): string {
  const name = `migration-agent_${build.version}_${DEBIAN_NAME[build.architecture]}.deb`;
  const file = join(build.outputDirectory, name);
  execFileSync(
    'dpkg-deb',
    [
      ...['--root-owner-group', '--uniform-compression'],
      ...(build.isFast ? ['-Znone'] : ['-Zxz', '-z6', `--threads-max=${COMPRESSION_THREADS}`]),
      ...['--build', tree, file],
    ],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(build.epochS) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return file;
}

function md5sums(tree: string, files: readonly string[]): string {
  return files
    .map((file) => {
      const sum = createHash('md5').update(readFileSync(file)).digest('hex');
      return `${sum}  ${relative(tree, file)}\n`;
    })
    .join('');
}
