/**
 * `npm run release -- VERSION [--dry-run [--fast]]`: checks, version, changelog, commit, tag, packages of both architectures (built
 * twice and compared), signature. Pushes nothing. `--dry-run` works on a copy of the checkout and leaves the artefacts in dist/;
 * with `--fast` they are not compressed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasPublicAddresses } from './package-build.ts';
import { releasedChangelog } from './release-changelog.ts';

const ROOT = join(import.meta.dirname, '../..');

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      fast: { type: 'boolean', default: false },
    },
  });
  const [version = ''] = positionals;
  if (!/^\d+\.\d+\.\d+(?:-[0-9a-z.]+)?$/.test(version)) {
    throw new Error(
      'npm run release -- VERSION [--dry-run [--fast]], with a version such as 1.2.3',
    );
  }
  const isDry = values['dry-run'];
  if (values.fast && !isDry) throw new Error('--fast is for --dry-run');
  if (!isDry && !hasPublicAddresses) {
    throw new Error(
      'package.json has placeholders of example.com: set author, homepage, repository and bugs first',
    );
  }
  if (git(ROOT, 'status', '--porcelain') !== '') {
    throw new Error('the checkout has changes: commit them first (git status)');
  }
  const checkout = isDry ? copyOfCheckout() : ROOT;
  try {
    setVersion(checkout, version);
    git(checkout, 'commit', '--quiet', '--all', '--message', `Release ${version}`);
    const hasKey = hasSigningKey();
    const sign = hasKey && !isDry ? '--sign' : '--annotate';
    git(checkout, 'tag', sign, '--message', `migration-agent ${version}`, `v${version}`);
    const files = buildTwice(checkout, join(ROOT, 'dist'), values.fast);
    report(version, files, hasKey, isDry);
  } finally {
    if (isDry) rmSync(checkout, { recursive: true });
  }
}

/** A clone, so that commit and tag stay in it; with the installed packages. */
function copyOfCheckout(): string {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-release-'));
  execFileSync('git', ['clone', '--quiet', ROOT, directory]);
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  // It is ignored as a directory only.
  writeFileSync(join(directory, '.git/info/exclude'), 'node_modules\n');
  return directory;
}

function setVersion(checkout: string, version: string): void {
  const changelog = join(checkout, 'CHANGELOG.md');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, releasedChangelog(readFileSync(changelog, 'utf8'), version, date));
  for (const name of ['package.json', 'package-lock.json']) {
    const file = join(checkout, name);
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    manifest.version = version;
    if (manifest.packages?.[''] !== undefined) manifest.packages[''].version = version;
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

interface Manifest {
  version: string;
  packages?: Record<string, { version: string }>;
}

/** Returns the artefacts. Throws if the second build has other bytes. */
function buildTwice(checkout: string, output: string, isFast: boolean): string[] {
  rmSync(output, { recursive: true, force: true });
  const second = mkdtempSync(join(tmpdir(), 'migration-agent-second-'));
  try {
    const sums = [output, second].map((directory) => {
      const build = join(checkout, 'systemd/package/build.ts');
      const options = ['--arch', 'all', '--output', directory, ...(isFast ? ['--fast'] : [])];
      execFileSync(process.execPath, [build, ...options], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      return readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    });
    if (sums[0] !== sums[1]) {
      cpSync(join(second, 'SHA256SUMS'), join(output, 'SHA256SUMS.second'));
      throw new Error(
        'two builds of this commit differ: see SHA256SUMS and SHA256SUMS.second in dist',
      );
    }
    return (sums[0] ?? '').trim().split('\n');
  } finally {
    rmSync(second, { recursive: true });
  }
}

function hasSigningKey(): boolean {
  const { status, stdout } = spawnSync('gpg', ['--list-secret-keys', '--with-colons'], {
    encoding: 'utf8',
  });
  return status === 0 && stdout.includes('sec:');
}

function report(version: string, files: string[], hasKey: boolean, isDry: boolean): void {
  const sums = join(ROOT, 'dist/SHA256SUMS');
  if (hasKey)
    execFileSync('gpg', ['--armor', '--detach-sign', '--yes', sums], { stdio: 'inherit' });
  process.stdout.write(
    [
      `${files.length} artefacts of ${version} in dist/, the same bytes in two builds:`,
      ...files.map((line) => `  ${line}`),
      hasKey
        ? 'SHA256SUMS is signed: SHA256SUMS.asc'
        : 'SHA256SUMS is not signed: gpg has no secret key here (gpg --armor --detach-sign dist/SHA256SUMS)',
      isDry
        ? 'Dry run: nothing was committed or tagged in this checkout.'
        : `Next: git push --follow-tags; then publish dist/ with the entry of ${version} in CHANGELOG.md.`,
      '',
    ].join('\n'),
  );
}

function git(directory: string, ...command: readonly string[]): string {
  return execFileSync('git', command, { cwd: directory, encoding: 'utf8' }).trim();
}

main();
