/**
 * Which tests are tried on a mutant of a source file: those beside its name, then those of its folder, then those that prove
 * what its part of the program is for.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Paths below the root, in rounds: a round is tried if the ones before noticed nothing. */
export function testsOf(file: string, root: string): readonly (readonly string[])[] {
  const below = file.replace(/^src\//, '');
  const [area = ''] = below.split('/');
  const beside = join('test', below.replace(/\.ts$/, '.test.ts'));
  const folder = join('test', dirname(below));
  const rounds = [[beside], folder === `test/${area}` ? [] : [folder], WIDE[area] ?? []];
  return rounds
    .map((round) => round.filter((path) => existsSync(join(root, path))))
    .filter((round) => round.length > 0);
}

/** The same for all files of a folder: the tests of the folder, then those of its part, then the wide ones. */
export function roundsOf(folder: string, root: string): readonly (readonly string[])[] {
  const [area = ''] = folder.split('/');
  const own = `test/${folder}`;
  const wide = (WIDE[area] ?? []).filter((path) => path !== `test/${area}`);
  const rounds = [[own], own === `test/${area}` ? [] : [`test/${area}`], wide];
  return rounds
    .map((round) => round.filter((path) => existsSync(join(root, path))))
    .filter((round) => round.length > 0);
}

const WIDE: Readonly<Record<string, readonly string[]>> = {
  core: ['test/core', 'test/agent', 'test/simulation', 'test/control'],
  agent: ['test/agent', 'test/simulation', 'test/end-to-end'],
  store: ['test/store', 'test/agent', 'test/simulation'],
  jobs: ['test/jobs', 'test/agent'],
  config: ['test/config', 'test/cli'],
  aws: ['test/aws'],
  control: ['test/control', 'test/cli/commands', 'test/cli/views', 'test/end-to-end/api.test.ts'],
  cli: ['test/cli', 'test/end-to-end'],
  system: ['test/system'],
};
