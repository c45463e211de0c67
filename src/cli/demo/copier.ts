/** How the demo copies trees on this host: with rsync, or with a script of its own where rsync is missing. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COPY_PROGRAM = fileURLToPath(new URL('copy-program.ts', import.meta.url));

export interface Copier {
  readonly name: string;
  readonly parser: 'rsync' | 'json';
  readonly command: (source: string, target: string, kibPerSecond: number) => readonly string[];
}

export function chooseCopier(): Copier {
  return spawnSync('rsync', ['--version'], { stdio: 'ignore' }).status === 0 ? RSYNC : SCRIPT;
}

const RSYNC: Copier = {
  name: 'rsync',
  parser: 'rsync',
  command: (source, target, kibPerSecond) => [
    'rsync',
    '-a',
    '--info=progress2',
    '--no-inc-recursive',
    // Else a tree as small as this one is gone in a moment.
    `--bwlimit=${kibPerSecond}`,
    source,
    target,
  ],
};

const SCRIPT: Copier = {
  name: 'a script that prints JSON lines (rsync is not installed)',
  parser: 'json',
  command: (source, target, kibPerSecond) => [
    process.execPath,
    COPY_PROGRAM,
    source,
    target,
    String(kibPerSecond),
  ],
};
