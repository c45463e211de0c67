/**
 * The software bill of materials, CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/): every library that is in the
 * bundle, koffi, Node.js, and the libraries that Node.js contains. Nothing in it depends on when or where it is made.
 */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hostArchitecture } from './architecture.ts';
import type { PackageBuild } from './package-build.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly components?: readonly Component[];
}

type Lock = Readonly<
  Record<
    string,
    { readonly version: string; readonly integrity?: string; readonly license?: string } | undefined
  >
>;

export function sbomOf(packages: readonly string[], build: PackageBuild): string {
  const lock = (
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Lock }
  ).packages;
  // The native half is that of the package's architecture, which need not be installed here.
  const native = ['koffi', `@koromix/koffi-linux-${build.architecture}`];
  const libraries = [
    ...packages.map((folder) => library(folder, lock)),
    ...native.map((name) => lockedLibrary(name, lock)),
  ];
  const components = [nodeRuntime(build), ...unique(libraries)].toSorted((a, b) =>
    a['bom-ref'] < b['bom-ref'] ? -1 : 1,
  );
  const self = `pkg:generic/migration-agent@${build.version}?arch=${build.architecture}&os=linux`;
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([self, components]))}`,
    version: 1,
    metadata: {
      timestamp: new Date(build.epochS * 1000).toISOString().replace('.000Z', 'Z'),
      component: {
        type: 'application',
        'bom-ref': self,
        name: 'migration-agent',
        version: build.version,
        purl: self,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [
      { ref: self, dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function library(folder: string, lock: Lock): Component {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license?: string };
  const integrity = lock[relative(ROOT, folder)]?.integrity;
  return component({ name, version, license, integrity });
}

function lockedLibrary(name: string, lock: Lock): Component {
  const locked = lock[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json does not know ${name}`);
  const { version, license, integrity } = locked;
  return component({ name, version, license, integrity });
}

function component(about: {
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  readonly integrity: string | undefined;
}): Component {
  const { name, version, license, integrity } = about;
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const content = integrity?.startsWith('sha512-') === true ? integrity.slice(7) : undefined;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(content === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(content, 'base64').toString('hex') }] }),
  };
}

/** The same library may be bundled from two places. */
function unique(libraries: readonly Component[]): Component[] {
  return [...new Map(libraries.map((one) => [one['bom-ref'], one])).values()];
}

/** With what it contains: OpenSSL, zlib and the like are what scanners for vulnerabilities look for. */
function nodeRuntime(build: PackageBuild): Component {
  const program = join(ROOT, `node_modules/node-linux-${hostArchitecture()}/bin/node`);
  const versions = JSON.parse(
    execFileSync(program, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' }),
  ) as Record<string, string>;
  const { node = 'unknown', ...contained } = versions;
  const purl = `pkg:generic/node@${node}?arch=${build.architecture}&os=linux`;
  const components = Object.entries(contained)
    .filter(
      // Node names ngtcp2 and nghttp3 without a version: a scanner has no use for them.
      ([name, version]) => version !== '' && !/^(?:napi|modules|unicode|cldr|tz)$/.test(name),
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, version]): Component => ({
      type: 'library',
      'bom-ref': `node:${name}@${version}`,
      name,
      version,
    }));
  return {
    type: 'platform',
    'bom-ref': purl,
    name: 'node',
    version: node,
    purl,
    licenses: [{ license: { id: 'MIT' } }],
    components,
  };
}

/** A name-based UUID: the same content has the same number. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
