/** SHA256SUMS, in the form that `sha256sum --check` reads. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export function writeChecksums(files: readonly string[], directory: string): string {
  const lines = files.toSorted().map((file) => {
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    return `${sum}  ${basename(file)}\n`;
  });
  const file = join(directory, 'SHA256SUMS');
  writeFileSync(file, lines.join(''));
  return file;
}
