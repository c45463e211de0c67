/** The package itself: the same bytes from the same commit, nothing that Debian's checker calls an error, honest about what it needs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const BUILD = join(import.meta.dirname, '../../systemd/package/build.ts');
const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

const work = mkdtempSync(join(tmpdir(), 'package-test-'));
const root = join(work, 'root');
const home = join(root, 'usr/lib/migration-agent');

function build(output: string): Readonly<Record<string, string>> {
  const message = ['--fast', '--version', '9.0.1', '--output', join(work, output)];
  execFileSync(process.execPath, [BUILD, ...message], { stdio: 'ignore' });
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const names = readdirSync(join(work, output)).toSorted();
  return Object.fromEntries(names.map((name) => [name, digest(join(work, output, name))]));
}

let first: Readonly<Record<string, string>>;
let deb: string;

beforeAll(() => {
  first = build('one');
  const name = Object.keys(first).find((one) => one.endsWith('.deb'));
  deb = join(work, 'one', String(name));
  execFileSync('dpkg-deb', ['-x', deb, root]);
});

afterAll(() => rmSync(work, { recursive: true }));

test('is the same twice, byte for byte, also for another user’s umask', () => {
  const umask = process.umask(0o077);
  try {
    expect(build('two')).toEqual(first);
  } finally {
    process.umask(umask);
  }
});

test.skipIf(!has('lintian'))('has no error for lintian (skipped without it)', () => {
  // Compression is left out here for speed; the rest is the package as it is given out.
  const fast = 'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball';
  const message = ['--allow-root', '--tag-display-limit', '0', '--suppress-tags', fast, deb];
  const { status, stdout } = spawnSync('lintian', message, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

test('runs where it was unpacked, without any other Node: version, demo of the screens, koffi', () => {
  const program = join(root, 'usr/bin/migration-agent');
  const environment = { PATH: '/usr/bin:/bin', HOME: work };
  const run = (file: string, ...message: string[]) =>
    spawnSync(file, message, { encoding: 'utf8', env: environment });
  expect(run(program, '--version').stdout).toBe('9.0.1\n');
  expect(run(program, '--help').stdout).toContain('daemon');
  const koffi = `import('${home}/node_modules/koffi/index.js').then(({ default: k }) => console.log(typeof k.load))`;
  expect(run(join(home, 'node'), '-e', koffi)).toMatchObject({ stdout: 'function\n' });
});

test('names every library that its binaries need', () => {
  const needed = execFileSync('ldd', [join(home, 'node')], { encoding: 'utf8' });
  const libraries = [...needed.matchAll(/^\s+(lib\S+?)\.so/gm)].map(([, name]) => name);
  // libc6, libgcc-s1 and libstdc++6 have them all.
  expect(libraries.toSorted()).toEqual(
    ['libc', 'libdl', 'libgcc_s', 'libm', 'libpthread', 'libstdc++'].toSorted(),
  );
  const fields = execFileSync('dpkg-deb', ['-f', deb, 'Depends'], { encoding: 'utf8' });
  for (const name of ['libc6', 'libgcc-s1', 'libstdc++6', 'systemd'])
    expect(fields).toContain(name);
});

test('says of every bundled library whose it is', () => {
  const licences = execFileSync('zcat', [
    join(root, 'usr/share/doc/migration-agent/third-party-licences.gz'),
  ]).toString();
  for (const name of ['Node.js', '@aws-sdk/client-migration-hub', 'bottleneck', 'zod', 'koffi']) {
    expect(licences).toContain(name);
  }
});

test('man reads its page without a complaint', () => {
  const page = join(root, 'usr/share/man/man1/migration-agent.1.gz');
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', page], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', MANWIDTH: '100' },
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('daemon');
});
