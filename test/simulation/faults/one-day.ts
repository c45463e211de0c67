/** `node one-day.ts HOSTS SEED`: a quarter of a hostile day up to the first finding, which is printed. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveThroughHostileDays } from '../hostile-days.ts';

const DAYS = 0.25;
const [hosts = 1, seed = 1] = process.argv.slice(2).map(Number);
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const directory = mkdtempSync(join(base, 'fault-'));
try {
  const result = await liveThroughHostileDays(seed, DAYS, hosts, directory, 'first finding');
  process.stdout.write(result.findings[0] ?? '');
} catch (error) {
  process.stdout.write(`the days ended with ${String(error)}`);
} finally {
  rmSync(directory, { recursive: true });
}
