/**
 * `npm run package`: a Debian package, an RPM package and a tarball of the agent with its own Node.js runtime, an SBOM
 * (CycloneDX) and SHA256SUMS, in `dist/`. Needs no root; the same commit gives the same bytes (SOURCE_DATE_EPOCH, or the
 * time of the commit).
 *
 *   npm run package -- [--arch x64|arm64|all] [--version V] [--output DIR] [--fast]
 *
 * `--fast` leaves the compression out: for tests.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, hostArchitecture } from './architecture.ts';
import { bundle } from './bundle.ts';
import { writeChecksums } from './checksums.ts';
import { makeDeb } from './deb.ts';
import type { PackageBuild } from './package-build.ts';
import { makeRpm, whyNoRpm } from './rpm.ts';
import { sbomOf } from './sbom.ts';
import { stage } from './stage.ts';
import { makeTarball } from './tarball.ts';

const ROOT = join(import.meta.dirname, '../..');

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: hostArchitecture() },
      version: { type: 'string', default: packageVersion() },
      fast: { type: 'boolean', default: false },
      output: { type: 'string', default: join(ROOT, 'dist') },
    },
  });
  const architectures = ARCHITECTURES.filter((one) => values.arch === 'all' || one === values.arch);
  if (architectures.length === 0) {
    throw new Error(`--arch ${values.arch}: expected ${ARCHITECTURES.join(', ')} or all`);
  }
  if (!/^\d+\.\d+\.\d+(?:-[0-9a-z.]+)?$/.test(values.version)) {
    throw new Error(`--version ${values.version}: expected a version such as 1.2.3`);
  }
  const missing = whyNoRpm();
  if (missing !== undefined) process.stderr.write(`no RPM package: ${missing}\n`);
  mkdirSync(values.output, { recursive: true });
  const files: string[] = [];
  for (const architecture of architectures) {
    files.push(
      ...(await make({
        version: values.version,
        architecture,
        epochS: sourceDate(),
        isFast: values.fast,
        outputDirectory: values.output,
      })),
    );
  }
  files.push(writeChecksums(files, values.output));
  for (const file of files) {
    process.stdout.write(`${file} ${(statSync(file).size / 1e6).toFixed(1)} MB\n`);
  }
}

async function make(build: PackageBuild): Promise<readonly string[]> {
  const work = mkdtempSync(join(tmpdir(), 'migration-agent-package-'));
  try {
    const bundled = await bundle(join(work, 'app'), build.version);
    const sbom = sbomOf(bundled.packages, build);
    const sbomFile = join(
      build.outputDirectory,
      `migration-agent-${build.version}-linux-${build.architecture}.cdx.json`,
    );
    writeFileSync(sbomFile, sbom);
    const tree = join(work, 'tree');
    stage(tree, bundled, sbom, build);
    return [
      makeTarball(tree, work, build),
      makeDeb(tree, work, build),
      ...(whyNoRpm() === undefined ? [makeRpm(tree, work, build)] : []),
      sbomFile,
    ];
  } finally {
    rmSync(work, { recursive: true });
  }
}

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDate(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  try {
    const command = ['log', '-1', '--format=%ct'];
    return Number(execFileSync('git', command, { cwd: ROOT, encoding: 'utf8' }));
  } catch (cause) {
    throw new Error('set SOURCE_DATE_EPOCH (seconds since 1970): this is no git checkout', {
      cause,
    });
  }
}

await main();
