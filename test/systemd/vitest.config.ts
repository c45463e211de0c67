/** `npm run test:systemd`: the installed package under a real systemd. Slower than `npm test` may be. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/systemd/*.e2e.ts'],
    // Each step builds upon the one before.
    bail: 1,
    reporters: ['verbose'],
    // A box each; two cores are busy with one.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
