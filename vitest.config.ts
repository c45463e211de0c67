/** Everything but benchmarks and long simulations runs with `npm test`. */
import { defineConfig } from 'vitest/config';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `migration-agent needs Node 24 or later and found ${process.version}. \`npm ci\` brings one for Linux on x64 and arm64 (optional dependencies node-linux-*); elsewhere install Node 24 and run \`npm ci\` again.`,
  );
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new SkippedReporter()],
    // Most tests wait for processes and answers, not for a processor.
    maxWorkers: 3,
    // For tests that never end. None comes near it, also beside busy neighbours.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
  },
});
