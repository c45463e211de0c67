import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, root), 'utf8'));
}

test('each direct dependency is named at one exact version', () => {
  const file = readJson('package.json') as Record<string, Record<string, string> | undefined>;
  const ranges = ['dependencies', 'optionalDependencies', 'devDependencies']
    .flatMap((kind) => Object.entries(file[kind] ?? {}))
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(ranges).toEqual([]);
});

test('the lock file names no registry, so that npm ci asks the one that its user has configured', () => {
  const { packages } = readJson('package-lock.json') as {
    packages: Record<string, { resolved?: string }>;
  };
  const resolved = Object.entries(packages).filter((entry) => entry[1].resolved !== undefined);
  expect(resolved).toEqual([]);
});
