/** The percent of real tools is never more than five points above what is really done. TABLE=1 prints the table. */
import { describe, expect, test } from 'vitest';
import { isInstalled, withHosts } from '../support.ts';
import { sampled, tableRow } from './percent-table.ts';
import { TOOL_RUNS } from './tool-runs.ts';

const isTable = process.env['TABLE'] !== undefined;
/** The others take a minute together; real-tools.test.ts runs most of them. */
const ALWAYS = ['qemu-img', 'rsync, incremental recursion'];

describe('reported against true percent', () => {
  for (const tool of TOOL_RUNS) {
    const missing = tool.programs.filter((program) => !isInstalled(program));
    const isLong = !isTable && !ALWAYS.includes(tool.name);
    const why = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} is not installed)`;
    const skipped = isLong ? ' (skipped: TABLE=1 runs it)' : why;
    test.skipIf(skipped !== '')(
      `${tool.name}${skipped}`,
      () =>
        withHosts(async (newHost, directory) => {
          const { exitCode, host, samples } = await sampled(tool, newHost, directory);
          expect(exitCode, JSON.stringify(host.events)).toBe(0);
          if (isTable) process.stdout.write(`${tableRow(tool, samples)}\n`);
          const reported = host.all('progress-read').flatMap(({ percent }) => percent ?? []);
          expect(reported).toEqual(reported.toSorted((a, b) => a - b));
          const between = reported.filter((percent) => percent > 5 && percent < 95);
          expect(between.length, JSON.stringify(samples)).toBeGreaterThan(1);
          for (const { reported: percent = 0, truth } of samples) {
            expect(percent, JSON.stringify(samples)).toBeLessThanOrEqual(truth + 5);
          }
        }),
      60_000,
    );
  }
});
