/**
 * The RPM package, made by rpmbuild (Debian's package `rpm` has it), without root. Host-dependent macros are pinned, so
 * that the same tree gives the same bytes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { RPM_NAME } from './architecture.ts';
import { libraryRequirements } from './library-requirements.ts';
import { filesOf, normalize } from './normalize.ts';
import { COMPRESSION_THREADS, HOMEPAGE, MAINTAINER } from './package-build.ts';
import type { PackageBuild } from './package-build.ts';
import { scriptlet } from './scriptlet.ts';

const SPEC = join(import.meta.dirname, 'rpm/migration-agent.spec');

/** What this machine lacks for an RPM package; undefined: nothing. */
export function whyNoRpm(): string | undefined {
  return spawnSync('rpmbuild', ['--version']).status === 0
    ? undefined
    : 'rpmbuild is not installed (Debian and Ubuntu: apt install rpm; Fedora and RHEL: dnf install rpm-build)';
}

export function makeRpm(staged: string, work: string, build: PackageBuild): string {
  const tree = join(work, 'rpm-tree');
  cpSync(staged, tree, { recursive: true, verbatimSymlinks: true });
  layOut(tree);
  normalize(tree, build);

  const top = join(work, 'rpm');
  mkdirSync(top);
  const spec = join(top, 'migration-agent.spec');
  writeFileSync(spec, specification(tree, build));
  const target = RPM_NAME[build.architecture];
  const { status, stderr } = spawnSync(
    'rpmbuild',
    ['-bb', '--nodeps', `--target=${target}-linux`, ...macros(top, build), spec],
    {
      encoding: 'utf8',
      env: { ...process.env, SOURCE_DATE_EPOCH: String(build.epochS), LC_ALL: 'C.UTF-8' },
    },
  );
  if (status !== 0) throw new Error(`rpmbuild failed: ${stderr}`);
  const folder = join(top, 'RPMS', target);
  const [name] = readdirSync(folder);
  if (name === undefined) throw new Error('rpmbuild made no package');
  const file = join(build.outputDirectory, name);
  // Another file system than the work directory's, perhaps.
  execFileSync('mv', [join(folder, name), file]);
  return file;
}

function layOut(tree: string): void {
  mkdirSync(join(tree, 'etc/sysconfig'), { recursive: true });
  cpSync(
    join(tree, 'usr/share/migration-agent/environment'),
    join(tree, 'etc/sysconfig/migration-agent'),
  );
  // Debian's own licence file; RPM packages name theirs with %license.
  const licence = join(tree, 'usr/share/licenses/migration-agent/LICENSE');
  mkdirSync(dirname(licence), { recursive: true });
  cpSync(join(import.meta.dirname, '../../LICENSE'), licence);
  renameSync(
    join(tree, 'usr/share/doc/migration-agent/third-party-licences.gz'),
    join(dirname(licence), 'third-party-licences.gz'),
  );
  for (const name of ['copyright', 'changelog.gz']) {
    execFileSync('rm', [join(tree, 'usr/share/doc/migration-agent', name)]);
  }
}

function macros(top: string, build: PackageBuild): string[] {
  const compression = build.isFast ? 'w0.gzdio' : `w6T${COMPRESSION_THREADS}.xzdio`;
  const values: Readonly<Record<string, string>> = {
    _topdir: top,
    _buildhost: 'localhost',
    _binary_payload: compression,
    // RHEL 8 and SLES 15 read no newer digests than these.
    _binary_filedigest_algorithm: '8',
    _build_id_links: 'none',
    debug_package: '%{nil}',
    optflags: '%{nil}',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    source_date_epoch_from_changelog: '0',
    // No stripping and no compressing of manual pages: the tree is as it is to be.
    __os_install_post: '%{nil}',
    __spec_install_post: '%{nil}',
  };
  return Object.entries(values).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
}

function specification(tree: string, build: PackageBuild): string {
  const values: Readonly<Record<string, string>> = {
    VERSION: build.version.replaceAll('-', '~'),
    MAINTAINER,
    HOMEPAGE,
    TREE: tree,
    DATE: changelogDate(build.epochS),
    REQUIRES: libraryRequirements(join(tree, 'usr/libexec/migration-agent/node'))
      // find measures sizes (src/jobs/progress/tree-size.ts); on Debian it is always there.
      .concat('findutils')
      .map((name) => `Requires: ${name}`)
      .join('\n'),
    FILES: fileList(tree),
  };
  return scriptlet(SPEC).replaceAll(/@([A-Z]+)@/g, (all, name: string) => values[name] ?? all);
}

/** `Thu Nov 26 2026`. */
function changelogDate(epochS: number): string {
  const [day = '', date = '', month = '', year = ''] = new Date(epochS * 1000)
    .toUTCString()
    .split(' ');
  return `${day.replace(',', '')} ${month} ${date} ${year}`;
}

/** Every file by name, so that a file which nobody meant to ship is seen here. */
function fileList(tree: string): string {
  const own = [
    'usr/libexec/migration-agent',
    'usr/share/migration-agent',
    'usr/share/doc/migration-agent',
    'usr/share/licenses/migration-agent',
  ];
  const directories = own.map((path) => `%dir "/${path}"`);
  const files = filesOf(tree).map((file) => {
    const path = `/${relative(tree, file)}`;
    if (path.startsWith('/etc/migration-agent/')) {
      return `%config(noreplace) %attr(0640,root,migration-agent) "${path}"`;
    }
    if (path.startsWith('/etc/')) return `%config(noreplace) "${path}"`;
    if (path.startsWith('/usr/share/licenses/')) return `%license "${path}"`;
    if (path.startsWith('/usr/share/doc/')) return `%doc "${path}"`;
    return `"${path}"`;
  });
  return [
    '%dir %attr(0750,root,migration-agent) "/etc/migration-agent"',
    ...directories,
    ...subdirectories(tree, own),
    ...files,
  ].join('\n');
}

function subdirectories(tree: string, own: readonly string[]): string[] {
  return own.flatMap((path) =>
    readdirSync(join(tree, path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `%dir "/${relative(tree, join(entry.parentPath, entry.name))}"`)
      .toSorted(),
  );
}
