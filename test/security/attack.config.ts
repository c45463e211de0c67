/**
 * Runs the attacks against another checkout, to see them succeed against code without the protection:
 *
 *     ATTACKED_TREE=/another/checkout npx vitest run --config test/security/attack.config.ts
 *
 * What the tests import from src/ comes from there, if that tree has the module, here or where it was in the last commit
 * without these protections (6675ab6). A test of a module that the other tree lacks still attacks the code of this one.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const ROOT = join(import.meta.dirname, '../..');
const TREE = process.env['ATTACKED_TREE'];
if (TREE === undefined) throw new Error('ATTACKED_TREE must name the checkout to attack');

/** Modules that were elsewhere in commit 6675ab6. */
const ONCE: Readonly<Record<string, string>> = {
  'src/control/http/tcp-listener.ts': 'src/control/http-listener.ts',
  'src/control/http/server.ts': 'src/control/server.ts',
  'src/core/lib/secrets.ts': 'src/core/secrets.ts',
  'src/jobs/process/user.ts': 'src/jobs/job-user.ts',
};

function attacked(path: string): string | undefined {
  const places = [path, ONCE[path] ?? path].map((place) => join(TREE ?? '', place));
  return places.find((place) => existsSync(place));
}

export default defineConfig({
  plugins: [
    {
      name: 'attacked-tree',
      enforce: 'pre',
      resolveId(source, importer) {
        if (!source.startsWith('.') || importer?.startsWith(join(ROOT, 'test')) !== true) return;
        const path = relative(ROOT, resolve(dirname(importer), source));
        return path.startsWith('src/') ? attacked(path) : undefined;
      },
    },
  ],
  test: {
    root: ROOT,
    include: ['test/security/**/*.test.ts', 'test/cli/completion/*.test.ts'],
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
