/**
 * `npm run package`: a Debian package and a tarball of the agent, with its own Node runtime, in `dist/`. Needs no root;
 * the same commit gives the same bytes (SOURCE_DATE_EPOCH, or the commit's time).
 *
 *   npm run package -- [--arch x64|arm64|all] [--version V] [--fast]
 *
 * `--fast` leaves the compression out: for tests.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeDeb, makeTarball } from './archives.ts';
import { bundle } from './bundle.ts';
import { ARCHITECTURES, hostArchitecture } from './runtime.ts';
import type { Architecture } from './runtime.ts';
import { stage } from './stage.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Build {
  readonly version: string;
  readonly architecture: Architecture;
  /** All files are of this time, in seconds since 1970. */
  readonly epochS: number;
  /** Compression takes most of the time. */
  readonly isFast: boolean;
  readonly output: string;
}

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
  mkdirSync(values.output, { recursive: true });
  for (const architecture of architectures) {
    const build: Build = {
      version: values.version,
      architecture,
      epochS: sourceDate(),
      isFast: values.fast,
      output: values.output,
    };
    for (const file of await make(build)) {
      process.stdout.write(`${file} ${(statSync(file).size / 1e6).toFixed(1)} MB\n`);
    }
  }
}

async function make(build: Build): Promise<readonly string[]> {
  const work = mkdtempSync(join(tmpdir(), 'migration-agent-package-'));
  try {
    const bundled = await bundle(join(work, 'app'), build.version);
    const tree = join(work, 'tree');
    stage(tree, bundled, build);
    return [makeTarball(tree, work, build), makeDeb(tree, build)];
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
  const told = process.env['SOURCE_DATE_EPOCH'];
  if (told !== undefined && /^\d+$/.test(told)) return Number(told);
  try {
    const message = ['log', '-1', '--format=%ct'];
    return Number(execFileSync('git', message, { cwd: ROOT, encoding: 'utf8' }));
  } catch (cause) {
    throw new Error('set SOURCE_DATE_EPOCH (seconds since 1970): this is no git checkout', {
      cause,
    });
  }
}

await main();
