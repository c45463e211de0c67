/** `node one-day.ts HOSTS SEED`: a quarter of a hostile day up to the first finding, which is printed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { liveThroughHostileDays } from '../hostile-days.ts';
import { FAST_DIRECTORY } from '../../support/fast-directory.ts';

const DAYS = 0.25;
const [hosts = 1, seed = 1] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(FAST_DIRECTORY, 'fault-'));
try {
  const result = await liveThroughHostileDays(seed, DAYS, hosts, directory, 'first finding');
  process.stdout.write(result.findings[0] ?? '');
} catch (error) {
  process.stdout.write(`the days ended with ${String(error)}`);
} finally {
  rmSync(directory, { recursive: true });
}
