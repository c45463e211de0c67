/** A job that does nothing until SIGTERM, and leaves the moment of it in a file. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../monotonic.ts';

const directory = process.argv[2] ?? '.';
const run = process.env['MIGRATION_RUN'] ?? 'bare';

process.on('SIGTERM', () => {
  const atMs = monotonicMs();
  const file = join(directory, `signalled-${run}`);
  writeFileSync(`${file}.new`, String(atMs));
  // Whole or not there: the reader looks at any moment.
  renameSync(`${file}.new`, file);
  process.exit(0);
});
writeFileSync(join(directory, `ready-${run}`), '');
setInterval(() => undefined, 1e6);
