/**
 * The shared libraries that the Node.js binary needs, each with the newest symbol version that it asks for, as RPM names
 * them: `libc.so.6(GLIBC_2.28)(64bit)`. These names are the same in all distributions; names of packages are not.
 * readelf (binutils) reads binaries of every architecture.
 */
import { spawnSync } from 'node:child_process';

export function libraryRequirements(binary: string): readonly string[] {
  const { status, stdout, error } = spawnSync('readelf', ['--wide', '--version-info', binary], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) {
    throw new Error(`readelf cannot read ${binary}: install binutils`, { cause: error });
  }
  /** The newest version by `library symbol`. */
  const newest = new Map<string, string>();
  let library = '';
  for (const line of stdout.split('\n')) {
    library = /File: (\S+)/.exec(line)?.[1] ?? library;
    const [, symbol, version] = /Name: ([A-Z]+)_([\d.]+)/.exec(line) ?? [];
    if (symbol === undefined || version === undefined) continue;
    const key = `${library} ${symbol}`;
    if (isNewer(version, newest.get(key) ?? '0')) newest.set(key, version);
  }
  return [...newest]
    .map(([key, version]) => {
      const [name = '', symbol = ''] = key.split(' ');
      return `${name}(${symbol}_${version})(64bit)`;
    })
    .toSorted();
}

function isNewer(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) > 0;
}
