/** Everything but benchmarks and long simulations runs with `npm test`. */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `migration-agent needs Node 24 or later and found ${process.version}. \`npm ci\` brings one for Linux on x64 and arm64 (optional dependencies node-linux-*); elsewhere install Node 24 and run \`npm ci\` again.`,
  );
}

const CORE = 'test/{core,simulation}/**/*.test.ts';

export default defineConfig({
  test: {
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    // Most tests wait for processes and answers, not for a processor.
    maxWorkers: 5,
    // For tests that never end. None comes near it, also beside busy neighbours.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    projects: [
      {
        extends: true,
        // The core keeps nothing in its modules, so these files need no process and no modules of their own.
        test: { name: 'core', include: [CORE], isolate: false },
      },
      {
        extends: true,
        test: { name: 'all else', include: ['test/**/*.test.ts'], exclude: [CORE] },
      },
    ],
  },
});
