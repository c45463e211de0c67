/** The packages: the same bytes from the same commit, no error for the distributions' checkers, and complete. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PACKAGE = join(import.meta.dirname, '../../systemd/package');
const BUILD = join(PACKAGE, 'build.ts');
/** Another user may not ask git for the time of the commit. */
const COMMITTED_S = execFileSync('git', ['log', '-1', '--format=%ct'], {
  cwd: PACKAGE,
  encoding: 'utf8',
}).trim();
const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;
const hasRpm = has('rpmbuild');

const work = mkdtempSync(join(tmpdir(), 'package-test-'));
const root = join(work, 'root');
const home = join(root, 'usr/libexec/migration-agent');
const documents = join(root, 'usr/share/doc/migration-agent');

/** `as`: a command that runs the build in its own way. */
function build(output: string, as: readonly string[] = []): Readonly<Record<string, string>> {
  const options = ['--fast', '--version', '9.0.1', '--output', join(work, output)];
  const [program = '', ...words] = [...as, process.execPath, BUILD, ...options];
  const env = { ...process.env, SOURCE_DATE_EPOCH: COMMITTED_S };
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const names = readdirSync(join(work, output)).toSorted();
  return Object.fromEntries(names.map((name) => [name, digest(join(work, output, name))]));
}

let first: Readonly<Record<string, string>>;
let deb: string;
let rpm: string;

const made = (ending: string): string =>
  join(work, 'one', String(Object.keys(first).find((name) => name.endsWith(ending))));

beforeAll(() => {
  first = build('one');
  deb = made('.deb');
  execFileSync('dpkg-deb', ['-x', deb, root]);
  if (hasRpm) rpm = made('.rpm');
});

afterAll(() => rmSync(work, { recursive: true }));

test('are the same twice, byte for byte, also with another umask', () => {
  const umask = process.umask(0o077);
  try {
    expect(build('two')).toEqual(first);
  } finally {
    process.umask(umask);
  }
});

/** Root can become somebody else, who must be able to read the checkout. */
const ANOTHER_USER = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const canSwitch =
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [...ANOTHER_USER.slice(1), 'cat', BUILD]).status === 0;

test.skipIf(!canSwitch)(
  'are the same as another user (skipped unless root, or if that user cannot read the checkout)',
  () => {
    chmodSync(work, 0o777);
    try {
      expect(build('three', ANOTHER_USER)).toEqual(first);
      expect(statSync(join(work, 'three/SHA256SUMS')).uid).toBe(65534);
    } finally {
      chmodSync(work, 0o700);
    }
  },
);

test('come with checksums that sha256sum accepts, one for each file', () => {
  execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(work, 'one') });
  const sums = readFileSync(join(work, 'one/SHA256SUMS'), 'utf8').trim().split('\n');
  expect(sums).toHaveLength(Object.keys(first).length - 1);
});

test.skipIf(!has('lintian'))('have no error for lintian (skipped without it)', () => {
  // Compression is left out here for speed; the rest is the package as it is published.
  const fast = 'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball';
  const options = ['--allow-root', '--tag-display-limit', '0', '--suppress-tags', fast, deb];
  const { status, stdout } = spawnSync('lintian', options, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

describe.skipIf(!hasRpm)(
  `the RPM package${hasRpm ? '' : ' (skipped: rpmbuild is not installed)'}`,
  () => {
    const query = (...options: string[]) =>
      execFileSync('rpm', ['--query', '--package', ...options, rpm], { encoding: 'utf8' });

    test.skipIf(!has('rpmlint'))('has no error for rpmlint (skipped without it)', () => {
      const options = ['--config', join(PACKAGE, 'rpm/rpmlintrc.toml'), rpm];
      const { stdout } = spawnSync('rpmlint', options, { encoding: 'utf8' });
      expect(stdout).toMatch(/1 packages and 0 specfiles checked; 0 errors/);
    });

    test('has the same programs, units and documents as the deb', () => {
      const shared = (paths: string[]) =>
        paths.filter((path) => /^\/usr\/(?:bin|lib|libexec|share\/migration-agent)\//.test(path));
      const inDeb = execFileSync('find', [root, '-type', 'f', '-o', '-type', 'l'], {
        encoding: 'utf8',
      })
        .trim()
        .split('\n')
        .map((path) => path.slice(root.length));
      const inRpm = query('--list')
        .trim()
        .split('\n')
        .filter((path) => inDeb.includes(path));
      expect(shared(inRpm).toSorted()).toEqual(shared(inDeb).toSorted());
    });

    test('asks for glibc 2.28 and the C++ library of GCC 7, which the oldest supported hosts have', () => {
      const libraries = query('--requires').match(/^lib.*\(64bit\)$/gm);
      expect(libraries).toEqual([
        'libc.so.6(GLIBC_2.28)(64bit)',
        'libdl.so.2(GLIBC_2.2.5)(64bit)',
        'libgcc_s.so.1(GCC_3.4)(64bit)',
        'libm.so.6(GLIBC_2.27)(64bit)',
        'libpthread.so.0(GLIBC_2.12)(64bit)',
        'libstdc++.so.6(CXXABI_1.3.11)(64bit)',
        'libstdc++.so.6(GLIBCXX_3.4.21)(64bit)',
      ]);
    });

    test('keeps the operator’s files and the group’s rights', () => {
      const list = query(
        '--queryformat',
        '[%{FILEFLAGS:fflags} %{FILEMODES:perms} %{FILEGROUPNAME} %{FILENAMES}\n]',
      );
      expect(list).toMatch(/^cn -rw-r----- migration-agent \/etc\/migration-agent\/config.yaml$/m);
      expect(list).toMatch(/^cn -rw-r--r-- root \/etc\/sysconfig\/migration-agent$/m);
      expect(list).toMatch(/ drwxr-x--- migration-agent \/etc\/migration-agent$/m);
    });
  },
);

test('run from where they were unpacked, without any other Node.js: version, help, koffi', () => {
  const program = join(root, 'usr/bin/migration-agent');
  const environment = { PATH: '/usr/bin:/bin', HOME: work };
  const run = (file: string, ...words: string[]) =>
    spawnSync(file, words, { encoding: 'utf8', env: environment });
  expect(run(program, '--version').stdout).toBe('9.0.1\n');
  expect(run(program, '--help').stdout).toContain('daemon');
  const koffi = `import('${home}/node_modules/koffi/index.js').then(({ default: k }) => console.log(typeof k.load))`;
  expect(run(join(home, 'node'), '-e', koffi)).toMatchObject({ stdout: 'function\n' });
});

test('name every library that the binaries need', () => {
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

test('have the licence of every bundled library, and an SBOM that names each', () => {
  const licences = execFileSync('zcat', [join(documents, 'third-party-licences.gz')]).toString();
  const sbom = JSON.parse(readFileSync(made('.cdx.json'), 'utf8')) as Sbom;
  const names = sbom.components.map(({ name }) => name);
  for (const name of ['@aws-sdk/client-migration-hub', 'bottleneck', 'zod', 'koffi', 'ioredis']) {
    expect(licences).toContain(name);
    expect(names).toContain(name);
  }
  expect(licences).toContain('Node.js');
  const references = sbom.components.map((component) => component['bom-ref']);
  expect(new Set(references).size).toBe(references.length);
  const node = sbom.components.find(({ name }) => name === 'node');
  expect(node?.components?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['openssl', 'uv', 'v8', 'zlib']),
  );
  expect(readFileSync(join(documents, 'sbom.cdx.json'), 'utf8')).toBe(
    readFileSync(made('.cdx.json'), 'utf8'),
  );
});

test('have documents whose links all lead to installed files', () => {
  const dead: string[] = [];
  let links = 0;
  for (const entry of readdirSync(documents, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.md')) continue;
    const text = readFileSync(join(documents, entry), 'utf8');
    for (const [, to = ''] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
      links++;
      const target = normalize(join(documents, dirname(entry), to));
      if (!existsSync(target)) dead.push(`${entry}: ${to}`);
    }
  }
  expect(dead).toEqual([]);
  expect(links).toBeGreaterThan(10);
  expect(existsSync(join(documents, 'config/operators-guide.md'))).toBe(true);
});

test('name no file of a package in documents and units that is not there', () => {
  const texts = [
    ...['README.md', 'systemd/README.md', 'config/README.md', 'config/operators-guide.md'].map(
      (name) => join(documents, name),
    ),
    join(root, 'usr/lib/systemd/system/migration-agent.service'),
    join(root, 'etc/migration-agent/config.yaml'),
  ];
  const missing = texts.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /\/usr\/(?:share|lib|libexec)(?:\/doc)?\/migration-agent[\w./-]*[\w]/g,
      ),
    ]
      .map(([path]) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${file.slice(root.length)}: ${path}`),
  );
  expect(missing).toEqual([]);
});

describe('completions', () => {
  test.skipIf(!has('bash'))('bash reads its own', () => {
    const file = join(root, 'usr/share/bash-completion/completions/migration-agent');
    expect(spawnSync('bash', ['-n', file], { encoding: 'utf8' })).toMatchObject({ stderr: '' });
  });
  test.skipIf(!has('zsh'))('zsh finds its own by name', () => {
    const folder = join(root, 'usr/share/zsh/vendor-completions');
    const script = `fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[migration-agent]`;
    const { stdout } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('_migration-agent');
  });
  test.skipIf(!has('fish'))('fish reads its own', () => {
    const file = join(root, 'usr/share/fish/vendor_completions.d/migration-agent.fish');
    const { status } = spawnSync('fish', ['--no-execute', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(status).toBe(0);
  });
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

interface Sbom {
  readonly components: readonly {
    readonly name: string;
    readonly 'bom-ref': string;
    readonly components?: readonly { readonly name: string }[];
  }[];
}
