/** Parsers fed by the real tools, each through the agent's own job host, against the bytes that are really done. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProgressSource } from '../../../src/core/model/job.ts';
import { parserFor } from '../../../src/core/command-line/progress-parser.ts';
import { isInstalled, makeRun, sh, withHosts } from '../support.ts';
import type { Host } from '../support.ts';
import { IS_LONG, ONLY_LONG } from '../../support/long-run.ts';

const MB = 1_000_000;
const AUTO: ProgressSource = { parser: 'auto' };

function percents(host: Host): number[] {
  return host.all('progress-read').flatMap(({ percent }) => percent ?? []);
}

function skipped(...programs: string[]): string {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} is not installed)`;
}

/** The command at a part of its usual speed; `attempt` is for the names of what it writes. */
type CommandAt = (speed: number, attempt: number) => string[];

/** Runs to the end; the percentages rise, and there are some between the ends. */
async function follow(
  newHost: () => Host,
  commandAt: CommandAt,
  {
    progress = AUTO,
    environment = {},
  }: { progress?: ProgressSource; environment?: Record<string, string> } = {},
): Promise<Host> {
  // The agent looks twice a second. On a busy machine a run of two seconds may end before the second look.
  for (const [attempt, speed] of [1, 1 / 4, 1 / 16].entries()) {
    const host = newHost();
    host.host.start(makeRun(commandAt(speed, attempt), { progress, environment }));
    expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
    const found = percents(host);
    expect(found, JSON.stringify(host.events)).toEqual(found.toSorted((a, b) => a - b));
    if (found.some((percent) => percent > 5 && percent < 95)) return host;
  }
  throw new Error('no percent between the ends was read, also of the slowest run');
}

/** For pv and rclone. */
function rate(kilobytes: number): string {
  return `${Math.round(kilobytes)}k`;
}

type ShellAt = (directory: string, speed: number, attempt: number) => string;

const TOOLS: readonly (readonly [string, readonly string[], ShellAt])[] = [
  ['pv', ['pv'], (at, speed) => `pv -n -i 0.2 -L ${rate(6000 * speed)} ${at}/big > /dev/null`],
  [
    'pv behind tar',
    ['pv', 'tar'],
    (at, speed) =>
      `nice tar cf - -C ${at} big | pv -n -i 0.2 -L ${rate(6000 * speed)} -s 12M | cat > /dev/null`,
  ],
  [
    'tar',
    ['pv', 'tar'],
    (at, speed) =>
      `tar --checkpoint=50 -cf - ${at}/big ${at}/many | pv -q -L ${rate(6000 * speed)} > /dev/null`,
  ],
  [
    'dd',
    ['dd', 'pv'],
    (at, speed) =>
      `pv -q -L ${rate(6000 * speed)} ${at}/big | exec dd bs=64k count=180 iflag=fullblock of=/dev/null status=progress`,
  ],
  [
    'rclone',
    ['rclone'],
    (at, speed, attempt) =>
      `exec rclone copy ${at}/many ${at}/to${attempt} -v --stats 300ms --stats-one-line --bwlimit ${rate(1500 * speed)} --config /dev/null`,
  ],
  [
    'rclone -P',
    ['rclone'],
    (at, speed, attempt) =>
      `exec rclone copy ${at}/many ${at}/to${attempt} -P --stats 300ms --bwlimit ${rate(1500 * speed)} --config /dev/null`,
  ],
];

/** Those of `npm test`, beside rsync. It replays recorded runs of all of them (recorded.test.ts). */
const SHORT = new Set(['pv', 'dd']);

describe.concurrent('real tools', () => {
  for (const [name, programs, command] of TOOLS) {
    const why = skipped(...programs);
    const isShort = SHORT.has(name);
    test.skipIf(why !== '' || !(IS_LONG || isShort))(
      `${name}${why}${isShort ? '' : ONLY_LONG}`,
      () =>
        withHosts(async (newHost, directory) => {
          await mkdir(join(directory, 'many'));
          await writeFile(join(directory, 'big'), Buffer.alloc(12 * MB, 7));
          for (let index = 0; index < 12; index += 1) {
            await writeFile(join(directory, 'many', `${index}`), Buffer.alloc(MB, index));
          }
          const text = command(directory, 1, 0);
          // pv without -n prints no progress, so that the other tool is read.
          const parser = parserFor(sh(text)).parser;
          const progress: ProgressSource = /^(tar|dd)$/.test(name)
            ? { parser: name as 'tar' | 'dd' }
            : AUTO;
          expect([parser, progress.parser]).not.toContain('none');
          await follow(newHost, (speed, attempt) => sh(command(directory, speed, attempt)), {
            progress,
            environment: { LC_ALL: 'C.UTF-8' },
          });
        }),
    );
  }

  const noRsync = skipped('rsync');
  test.skipIf(noRsync !== '')(`rsync: small files first, then a large one${noRsync}`, () =>
    withHosts(async (newHost, directory) => {
      const from = join(directory, 'from');
      await mkdir(from);
      for (let index = 0; index < 300; index += 1) await writeFile(join(from, `a${index}`), 'x');
      await writeFile(join(from, 'z'), Buffer.alloc(12 * MB, 1));
      const host = await follow(newHost, (speed, attempt) => [
        'nice',
        'rsync',
        '-a',
        '--info=progress2',
        '--no-inc-recursive',
        `--bwlimit=${Math.round(2000 * speed)}`,
        `${from}/`,
        join(directory, `to${attempt}`),
      ]);
      // The bytes that are done stand in the detail.
      for (const { percent, detail = '' } of host.all('progress-read').slice(0, -1)) {
        const megabytes = Number(/^([\d.]+) MB/.exec(detail)?.[1] ?? 0);
        expect(percent ?? 0).toBeLessThanOrEqual((megabytes / 12) * 100 + 5);
      }
      expect(percents(host).at(-1)).toBe(100);
    }),
  );

  const noRestic = skipped('restic');
  test.skipIf(noRestic !== '' || !IS_LONG)(`restic --json${noRestic}${ONLY_LONG}`, () =>
    withHosts(async (newHost, directory) => {
      await writeFile(join(directory, 'big'), Buffer.alloc(40 * MB, 7));
      const environment = {
        RESTIC_PASSWORD: 'x',
        RESTIC_REPOSITORY: join(directory, 'repo'),
        RESTIC_CACHE_DIR: join(directory, 'cache'),
        RESTIC_PROGRESS_FPS: '10',
      };
      execFileSync('restic', ['init', '-q'], { env: { ...process.env, ...environment } });
      const host = newHost();
      const command = ['restic', 'backup', '--json', '--limit-upload', '4000', `${directory}/big`];
      host.host.start(makeRun(command, { progress: AUTO, environment }));
      expect(await host.event('run-exited')).toMatchObject({ exitCode: 0 });
      expect(
        host
          .all('progress-read')
          .map(({ detail }) => detail)
          .join(),
      ).toContain('of 40.0 MB');
    }),
  );
});
