/** Tries mutants within the tests' own processes: used by switched.ts only. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { mutantsOf } from './mutants.ts';
import { readPlan } from './plan.ts';
import { withSwitches } from './switches.ts';

const ROOT = join(import.meta.dirname, '../..');

export default defineConfig({
  root: ROOT,
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      load(id) {
        const file = relative(ROOT, id.split('?')[0] ?? '');
        const place = readPlan().files[file];
        if (place === undefined) return null;
        const text = readFileSync(join(ROOT, file), 'utf8');
        return withSwitches(text, mutantsOf(file, text), place.first);
      },
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    reporters: [],
    globalSetup: join(ROOT, 'test/support/bundled-program.ts'),
    runner: join(import.meta.dirname, 'worker.ts'),
    maxWorkers: 2,
    // A mutant counts for the test that runs meanwhile.
    maxConcurrency: 1,
    // What another run left there has other mutants, or none.
    fsModuleCache: false,
    // A mutant that opens a FIFO waits for a writer, and nothing ends that within its own process.
    testNamePattern: /^(?!.*FIFO)/,
    testTimeout: 30_000,
    watch: false,
  },
});
