/** `npm test` runs everything but benchmarks and long simulations; `npm run test:long` all seeds and sizes of it. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `migration-agent needs Node 24 or later and found ${process.version}. \`npm ci\` brings one for Linux on x64 and arm64 (optional dependencies node-linux-*); elsewhere install Node 24 and run \`npm ci\` again.`,
  );
}

/** These change nothing that outlives a test (test/support/nothing-left.ts) and keep nothing in their modules. */
const PURE = [
  'test/{config,core,simulation}/**/*.test.ts',
  'test/cli/{terminal,views}/**/*.test.ts',
  'test/control/routes/**/*.test.ts',
  'test/simulator/{audit,definition,faults,hub,pipeline}/**/*.test.ts',
  'test/simulator/{constraints,switches}.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    // Most tests wait for processes and answers, not for a processor.
    maxWorkers: 6,
    globalSetup: 'test/support/bundled-program.ts',
    // What one of the programs that tests start has compiled the others need not compile again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
    // For tests that never end. None comes near it, also beside busy neighbours.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    projects: [
      {
        extends: true,
        // So these files need no process and no modules of their own, which cost more than most of their tests.
        test: {
          name: 'pure',
          include: PURE,
          isolate: false,
          setupFiles: 'test/support/nothing-left.ts',
        },
      },
      {
        extends: true,
        test: { name: 'all else', include: ['test/**/*.test.ts'], exclude: PURE },
      },
    ],
  },
});
