/**
 * The demo's copying program where rsync is missing: copies a tree file by file at a bounded rate and prints a
 * JSON object a line, as any script of an operator could.
 *
 *   node copy-program.ts SOURCE TARGET KIB_PER_SECOND
 */
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [source = '.', target = '.', kibPerSecond = '500'] = process.argv.slice(2);
const entries = await readdir(source, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile());
const pairs = await Promise.all(
  files.map(async (file) => {
    const path = join(file.parentPath, file.name);
    return { path, bytes: (await stat(path)).size };
  }),
);
const total = pairs.reduce((sum, { bytes }) => sum + bytes, 0);
let done = 0;
for (const { path, bytes } of pairs) {
  const copy = join(target, relative(source, path));
  await mkdir(dirname(copy), { recursive: true });
  await copyFile(path, copy);
  await sleep((bytes / 1024 / Number(kibPerSecond)) * 1000);
  done += bytes;
  const detail = `${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
  process.stdout.write(`${JSON.stringify({ percent: (done / total) * 100, detail })}\n`);
}
