/** Which tests are tried on the mutants of a folder: its own, those of its part, then those that prove what its part is for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Paths below the root, in rounds: a later one is tried on what the ones before have not noticed. */
export function roundsOf(folder: string, root: string): readonly (readonly string[])[] {
  const [area = ''] = folder.split('/');
  const own = `test/${folder}`;
  const wide = (WIDE[area] ?? []).filter((path) => path !== `test/${area}`);
  const rounds = [[own], own === `test/${area}` ? [] : [`test/${area}`], wide];
  return rounds
    .map((round) => round.filter((path) => existsSync(join(root, path))))
    .filter((round) => round.length > 0);
}

/** `test/core/hub/task-reporter-disk.test.ts` is named for `src/core/hub/task-reporter.ts`. */
export function isNamedFor(test: string, source: string): boolean {
  const name = source.replace(/^src/, 'test').replace(/\.ts$/, '');
  return test === `${name}.test.ts` || (test.startsWith(`${name}-`) && test.endsWith('.test.ts'));
}

const WIDE: Readonly<Record<string, readonly string[]>> = {
  core: ['test/core', 'test/agent', 'test/simulation', 'test/control'],
  agent: ['test/agent', 'test/simulation', 'test/end-to-end'],
  // The simulation has a store of its own, in memory.
  store: ['test/store', 'test/agent'],
  jobs: ['test/jobs', 'test/agent'],
  config: ['test/config', 'test/cli'],
  aws: ['test/aws', 'test/cli/doctor'],
  control: ['test/control', 'test/cli/commands', 'test/cli/views', 'test/end-to-end/api.test.ts'],
  cli: ['test/cli', 'test/end-to-end'],
  system: ['test/security/trusted-paths.test.ts', 'test/control/lib/peer.test.ts'],
};
