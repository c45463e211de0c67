/** `npm test` runs everything but benchmarks and long simulations; `npm run test:long` all seeds and sizes of it. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { filesWithOwnProcess } from './test/support/own-process.ts';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `migration-agent needs Node 24 or later and found ${process.version}. \`npm ci\` brings one for Linux on x64 and arm64 (optional dependencies node-linux-*); elsewhere install Node 24 and run \`npm ci\` again.`,
  );
}

const OWN_PROCESS = filesWithOwnProcess(import.meta.dirname);

// What one process has compiled the others need not compile again: those that run tests, and the programs that they start.
process.env['NODE_COMPILE_CACHE'] = join(import.meta.dirname, 'node_modules/.cache/compiled');

export default defineConfig({
  test: {
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    // Most tests wait for processes and answers, not for a processor.
    maxWorkers: 6,
    globalSetup: 'test/support/bundled-program.ts',
    // For tests that never end. None comes near it, also beside busy neighbours.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    projects: [
      {
        extends: true,
        // These files need no process and no modules of their own, which cost more than most of their tests.
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: OWN_PROCESS,
          isolate: false,
          setupFiles: 'test/support/nothing-left.ts',
        },
      },
      { extends: true, test: { name: 'alone', include: OWN_PROCESS } },
    ],
  },
});
