/**
 * The program as the packages have it, made once for all tests that start it: a start takes half the CPU of one from the
 * sources. Those of `test/cli/demo`, `test/cli/doctor/hangs` and one of `test/cli/dev` start the sources.
 */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
/** From here the launcher finds Node as it does from the sources: two folders up in node_modules. */
const DIRECTORY = join(ROOT, 'node_modules/.cache/program');
const DAY_MS = 86_400_000;

export const BUNDLED_LAUNCHER = join(DIRECTORY, 'migration-agent');

/** Of vitest, before the tests. Makes the bundle if the sources have changed since it was made. */
export async function setup(): Promise<void> {
  const beganAt = new Date();
  if (changedAtMs(BUNDLED_LAUNCHER) > newestMs()) return;
  mkdirSync(DIRECTORY, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  await makeBundle(version);
  const launcher = readFileSync(join(ROOT, 'src/migration-agent'), 'utf8');
  writeFileSync(BUNDLED_LAUNCHER, launcher.replace('/main.ts', '/main.mjs'), { mode: 0o755 });
  // A source that changed meanwhile is newer.
  utimesSync(BUNDLED_LAUNCHER, beganAt, beganAt);
  removeOlder(beganAt.getTime() - DAY_MS);
}

/** In a process of its own, which keeps Node's warning about the stripping of types to itself. */
async function makeBundle(version: string): Promise<void> {
  const script = `
    import { bundle } from './systemd/package/bundle.ts';
    await bundle(${JSON.stringify(DIRECTORY)}, ${JSON.stringify(version)});
  `;
  const quiet = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  await promisify(execFile)(process.execPath, [...quiet, '-e', script], { cwd: ROOT });
}

/** What the bundle is made of. */
function newestMs(): number {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const files = [
    ...sources.map((file) => join('src', file)),
    ...['package.json', 'package-lock.json', 'systemd/package/bundle.ts'],
  ];
  return Math.max(...files.map((file) => changedAtMs(join(ROOT, file))));
}

function changedAtMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Parts of an earlier bundle, which a program that still runs may load. */
function removeOlder(thanMs: number): void {
  for (const name of readdirSync(DIRECTORY)) {
    const file = join(DIRECTORY, name);
    if (changedAtMs(file) < thanMs) rmSync(file, { force: true });
  }
}
