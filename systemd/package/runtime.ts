/**
 * The Node.js runtime and koffi's native half for an architecture: from node_modules for this machine's own, by `npm pack`
 * for the other one, checked against the lock file.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostArchitecture } from './architecture.ts';
import type { Architecture } from './architecture.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Puts `node` and `node_modules/koffi` into the directory. */
export function addRuntime(directory: string, architecture: Architecture): void {
  withPackage(`node-linux-${architecture}`, (folder) => {
    cpSync(join(folder, 'bin/node'), join(directory, 'node'));
    chmodSync(join(directory, 'node'), 0o755);
    strip(join(directory, 'node'), architecture);
  });
  const modules = join(directory, 'node_modules');
  for (const file of programFiles(join(ROOT, 'node_modules/koffi'))) {
    copy(join(ROOT, 'node_modules/koffi', file), join(modules, 'koffi', file));
  }
  const native = `@koromix/koffi-linux-${architecture}`;
  withPackage(native, (folder) => {
    for (const file of ['package.json', 'index.js', `linux_${architecture}/koffi.node`]) {
      copy(join(folder, file), join(modules, native, file));
    }
    strip(join(modules, native, `linux_${architecture}/koffi.node`), architecture);
  });
}

/** The licence texts of Node itself. */
export function nodeLicence(architecture: Architecture): string {
  return withPackage(`node-linux-${architecture}`, (folder) =>
    readFileSync(join(folder, 'LICENSE'), 'utf8'),
  );
}

/** The files of koffi that run: no sources in C, no documents, no tools to build it. */
function programFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file === 'package.json' ||
      (/\.c?js$/.test(file) && !/^vendor\/|(?:cnoke|trampolines)\.cjs$/.test(file)),
  );
}

function copy(from: string, to: string): void {
  mkdirSync(join(to, '..'), { recursive: true });
  cpSync(from, to);
}

/** Symbols for a debugger are a seventh of the Node.js binary. GNU strip knows this machine's architecture only. */
function strip(file: string, architecture: Architecture): void {
  const tools = architecture === hostArchitecture() ? ['strip', 'llvm-strip'] : ['llvm-strip'];
  const done = tools.some((tool) => spawnSync(tool, ['--strip-unneeded', file]).status === 0);
  if (!done) process.stderr.write(`${file} keeps its symbols: install binutils or llvm\n`);
}

function withPackage<T>(name: string, use: (folder: string) => T): T {
  const installed = join(ROOT, 'node_modules', name);
  if (existsSync(installed)) return use(installed);
  const work = mkdtempSync(join(tmpdir(), 'migration-agent-fetch-'));
  try {
    return use(fetchPackage(name, work));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function fetchPackage(name: string, work: string): string {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json does not know ${name}`);
  const command = ['pack', '--silent', '--pack-destination', work, `${name}@${locked.version}`];
  const file = execFileSync('npm', command, { cwd: work, encoding: 'utf8' }).trim();
  const archive = join(work, file);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== locked.integrity) {
    throw new Error(`${name}@${locked.version} is not what package-lock.json says`);
  }
  execFileSync('tar', ['-xzf', archive, '-C', work]);
  return join(work, 'package');
}
