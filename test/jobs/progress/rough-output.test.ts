/**
 * Progress in unusual cases: copies that are resumed, have nothing to do, print in another language or find more files
 * while they copy; output that is not text, and lines without an end.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import { IS_LONG } from '../../support/long-run.ts';
import { isInstalled, makeRun, sh, until, withHosts } from '../support.ts';
import type { Host } from '../support.ts';

const hasGerman = isInstalled('localedef') && existsSync(join('/usr/share/i18n/locales', 'de_DE'));

function percents(host: Host): number[] {
  return host.all('progress-read').flatMap(({ percent }) => percent ?? []);
}

function lastDetail(host: Host): string | undefined {
  return host.all('progress-read').at(-1)?.detail;
}

/** `count` files of 500 kB, each in a directory of its own. */
async function makeSource(directory: string, count: number): Promise<string> {
  const from = join(directory, 'from');
  for (let index = 0; index < count; index += 1) {
    await mkdir(join(from, `d${index}`), { recursive: true });
    await writeFile(join(from, `d${index}`, 'file'), Buffer.alloc(500_000, index + 1));
  }
  return from;
}

async function copy(
  host: Host,
  options: readonly string[],
  more: Partial<JobDefinition> = {},
): Promise<string> {
  const run = makeRun(['rsync', '-a', '--info=progress2', ...options], {
    progress: { parser: 'rsync' },
    ...more,
  });
  host.host.start(run);
  expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
  return host.read(run, 'stdout.log');
}

// Each waits for its own run most of the time.
describe.skipIf(!isInstalled('rsync'))(
  'rsync (skipped where it is not installed)',
  { concurrent: true },
  () => {
    test('resumed: what was there counts as done, and the percent never falls', () =>
      withHosts(async (newHost, directory) => {
        const [from, to] = [await makeSource(directory, 6), join(directory, 'to')];
        for (const name of ['d0', 'd1', 'd2', 'd3']) {
          await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
        }
        const host = newHost();
        await copy(host, ['--no-inc-recursive', '--bwlimit=600', `${from}/`, `${to}/`]);
        expect(percents(host)).toEqual(percents(host).toSorted((a, b) => a - b));
        expect(percents(host).at(-1)).toBe(100);
        // 1.0 of 3.0 MB went over: by bytes alone it would have ended at 33 %.
        expect(lastDetail(host)).toMatch(/^1\.0 MB, .*13 of 13 files$/);
      }));

    test('with nothing to do: all files are done', () =>
      withHosts(async (newHost, directory) => {
        const [from, to] = [await makeSource(directory, 2), join(directory, 'to')];
        await cp(from, to, { recursive: true, preserveTimestamps: true });
        const host = newHost();
        await copy(host, ['--no-inc-recursive', `${from}/`, `${to}/`]);
        // On a busy host it is seen before it has looked at the files.
        expect(percents(host).filter((percent) => percent > 0)).toEqual([100]);
        expect(lastDetail(host)).toMatch(/^0 B, .*5 of 5 files$/);
      }));

    test('that discovers files while it copies: no percent until all files are known', () =>
      withHosts(async (newHost, directory) => {
        const [from, to] = [await makeSource(directory, 4), join(directory, 'to')];
        for (let index = 0; index < 3000; index += 1) {
          const place = join(from, 'z', `d${index % 60}`);
          await mkdir(place, { recursive: true });
          await writeFile(join(place, `${index}`), '');
        }
        const host = newHost();
        await copy(host, ['--inc-recursive', '--bwlimit=800', `${from}/`, `${to}/`]);
        const reported = host.all('progress-read');
        const counting = reported.filter(({ detail }) => detail?.endsWith('still counting'));
        expect(counting.length).toBeGreaterThan(0);
        expect(counting.map(({ percent }) => percent)).toEqual(counting.map(() => undefined));
        expect(reported.at(-1)?.percent).toBe(100);
      }));

    test.skipIf(!hasGerman)(
      'in German (skipped where no locale can be made): 1.234,5 is a number',
      () =>
        withHosts(async (newHost, directory) => {
          const from = await makeSource(directory, 3);
          // Its numbers alone: the rest of a locale takes seconds to make, and rsync prints nothing of it.
          await writeFile(join(directory, 'numbers'), 'LC_NUMERIC\ncopy "de_DE"\nEND LC_NUMERIC\n');
          const input = ['-c', '-i', join(directory, 'numbers'), '-f', 'UTF-8'];
          await promisify(execFile)('localedef', [...input, join(directory, 'de.UTF-8')]).catch(
            // It warns of all that is missing.
            () => undefined,
          );
          const host = newHost();
          const output = await copy(
            host,
            ['--no-inc-recursive', '--bwlimit=1000', `${from}/`, join(directory, 'to')],
            {
              environment: { LOCPATH: directory, LC_NUMERIC: 'de.UTF-8' },
            },
          );
          expect(output).toContain('1.500.000 ');
          expect(percents(host).at(-1)).toBe(100);
          expect(lastDetail(host)).toMatch(/^1\.5 MB, \d+\.\d [kMG]B\/s, 7 of 7 files$/);
        }),
    );
  },
);

test.concurrent(
  'size: a source that grows makes the total grow, and one that shrinks does not make it shrink',
  () =>
    withHosts(async (newHost, directory) => {
      const [source, target] = [join(directory, 'source'), join(directory, 'target')];
      await mkdir(source);
      await mkdir(target);
      await writeFile(join(source, 'a'), Buffer.alloc(1000));
      await writeFile(join(target, 'a'), Buffer.alloc(1000));
      const host = newHost();
      host.host.start(makeRun(sh('sleep 600'), { progress: { parser: 'size', source, target } }));
      const says = (detail: string): Promise<void> =>
        until(
          () => lastDetail(host) === detail,
          () => `${detail} in ${JSON.stringify(host.events)}`,
        );
      await says('1.0 kB of 1.0 kB');
      await writeFile(join(target, 'b'), Buffer.alloc(500));
      await writeFile(join(source, 'b'), Buffer.alloc(4000));
      await says('1.5 kB of 5.0 kB');
      expect(percents(host).at(-1)).toBe(30);
      await rename(join(source, 'a'), join(directory, 'moved'));
      await writeFile(join(target, 'c'), Buffer.alloc(500));
      await says('2.0 kB of 5.0 kB');
    }),
);

describe.concurrent('output that is not text', () => {
  const parsers = [
    ['percent', { parser: 'percent' }, 'echo; echo 42%'],
    ['json', { parser: 'json' }, `echo; echo '{"percent":42}'`],
    ['regex', { parser: 'regex', pattern: String.raw`at (?<percent>\d+)` }, 'echo; echo at 42'],
    [
      'rsync',
      { parser: 'rsync' },
      `printf '\\r  42,000  42%%  1.00MB/s  0:00:01 (xfr#1, to-chk=29/50)\\r'`,
    ],
  ] as const;
  // As much as a log may hold, so that it is moved before the progress is read.
  const megabytes = IS_LONG ? 10 : 2;
  const log = { sizeBytes: megabytes * 1_000_000, files: 3 };
  const roughs = [
    [`a line of ${megabytes} MB`, `head -c ${log.sizeBytes} /dev/zero | tr "\\0" x`],
    [`${megabytes} MB of random bytes`, `head -c ${log.sizeBytes} /dev/urandom`],
    [`${megabytes} MB of zero bytes`, `head -c ${log.sizeBytes} /dev/zero`],
  ] as const;

  const pairs = parsers.flatMap((parser) => roughs.map((rough) => ({ parser, rough })));
  // Each parser once, and each kind of output.
  test.for(IS_LONG ? pairs : pairs.filter((_, index) => index % 4 === 0))(
    '$rough.0 before the progress that $parser.0 reads',
    ({ parser: [, progress, message], rough: [, output] }) =>
      withHosts(async (newHost) => {
        const host = newHost();
        host.host.start(makeRun(sh(`${output}; ${message}; sleep 600`), { progress, log }));
        await until(
          () => percents(host).at(-1) === 42,
          () => `42 % in ${JSON.stringify(host.events)}`,
        );
        // Bounded, and nothing that a terminal or the service would choke on.
        for (const { detail = '' } of host.all('progress-read')) {
          expect(detail.length).toBeLessThan(300);

          expect(detail).not.toMatch(/[\u0000-\u001f\u007f]/);
        }
      }),
  );
});
