/** Watches real work of others: processes of another user, status files of every kind. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { Run, TrackedSource } from '../../../src/core/model/job.ts';
import { readProcess } from '../../../src/jobs/process/process-table.ts';
import { readStatusFile, parseStatus } from '../../../src/jobs/tracked/status-file.ts';
import { findSources } from '../../../src/jobs/tracked/source.ts';
import { createTrackedWork } from '../../../src/jobs/tracked/tracked-work.ts';
import type { TrackedWork } from '../../../src/ports.ts';
import { HangingMount, whyNoHangingMount } from '../../support/hanging-mount.ts';
import { watchLoop } from '../../support/loop-hold.ts';
import { definition } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

const BOOT_ID = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const GRACE_MS = 300;

let directory: string;
let events: Event[];
let work: TrackedWork;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tracked-'));
  events = [];
  children = [];
  work = tracking();
});

afterEach(async () => {
  await work.close();
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function tracking(hanging = 20_000): TrackedWork {
  return createTrackedWork({
    post: (event) => events.push(event),
    bootId: BOOT_ID,
    mask: (text) => text.replaceAll('secret', '***'),
    graceMs: { pid: GRACE_MS, file: GRACE_MS, hanging },
    checkEveryMs: 20,
  });
}

function runOf(name: string, tracked: TrackedSource, over: Partial<Run> = {}): Run {
  return {
    id: `${name}/1`,
    job: name,
    number: 1,
    definition: definition(name, { command: [], tracked }),
    origin: 'tracked',
    state: 'starting',
    requestedAt: { wallMs: 0, bootMs: 0 },
    spawn: 1,
    ...over,
  };
}

async function start(command: string, args: string[], options = {}): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore', ...options });
  children.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
  return child.pid!;
}

async function sourceOf(request: Parameters<typeof findSources>[0][number]) {
  const [source] = await findSources([request], BOOT_ID);
  return source!;
}

function typesOf(run: string): string[] {
  return events.filter((event) => 'run' in event && event.run === run).map(({ type }) => type);
}

async function untilEvent(type: Event['type'], which: (event: Event) => boolean = () => true) {
  const found = () => events.find((event) => event.type === type && which(event));
  await until(
    type,
    () => found() !== undefined,
    () => JSON.stringify(events),
  );
  return found()!;
}

describe('by pid', () => {
  const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

  test("another user's process is seen, and its run is lost when it is gone without a final report", async () => {
    const pid = await start('sleep', ['300'], asNobody);
    const source = await sourceOf({ pid });
    expect(source).toEqual({
      by: 'pid',
      process: { pid, bootId: BOOT_ID, startTicks: readProcess(pid)!.startTicks },
    });
    work.watch(runOf('copy', source as TrackedSource));
    await untilEvent('run-seen');
    children[0]!.kill('SIGKILL');
    expect(await untilEvent('run-lost')).toMatchObject({
      reason: `process ${pid} is gone, and nobody reported how it ended`,
    });
    expect(typesOf('copy/1')).toEqual(['run-seen', 'run-lost']);
  });

  test('a reused pid is never taken for the tracked process', async () => {
    const pid = await start('sleep', ['300']);
    const stranger: TrackedSource = {
      by: 'pid',
      process: { pid, bootId: BOOT_ID, startTicks: '1' },
    };
    work.watch(runOf('copy', stranger));
    await untilEvent('run-lost');
    expect(typesOf('copy/1')).toEqual(['run-lost']);
  });

  test('after a restart of the host the run is lost at once, even if the pid is in use', async () => {
    const pid = await start('sleep', ['300']);
    const { startTicks } = readProcess(pid)!;
    work.watch(runOf('copy', { by: 'pid', process: { pid, bootId: 'another', startTicks } }));
    expect(await untilEvent('run-lost')).toMatchObject({
      reason: expect.stringMatching(/host was restarted/) as string,
    });
  });

  test('a final report may come after the process is gone; a released run is not checked any more', async () => {
    await work.close();
    work = createTrackedWork({
      post: (event) => events.push(event),
      bootId: BOOT_ID,
      mask: (text) => text,
      graceMs: { pid: 600_000, file: GRACE_MS },
      checkEveryMs: 20,
    });
    const pid = await start('sleep', ['300']);
    const other = await start('sleep', ['300']);
    const run = runOf('copy', (await sourceOf({ pid })) as TrackedSource);
    work.watch(run);
    await untilEvent('run-seen');
    children[0]!.kill('SIGKILL');
    work.release(run);
    // When another run is seen, a round has passed.
    work.watch(runOf('other', (await sourceOf({ pid: other })) as TrackedSource));
    await untilEvent('run-seen', (event) => 'run' in event && event.run === 'other/1');
    expect(typesOf('copy/1')).toEqual(['run-seen']);
  });

  test('a pid without a process, and a zombie, are refused', async () => {
    expect(await sourceOf({ pid: 4_194_303 })).toMatch(/^pid: there is no process 4194303/);
    // sh execs into a sleep that never waits for its child.
    const parent = await start('sh', ['-c', 'true & exec sleep 300']);
    const zombie = (): string =>
      readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')[0] ?? '';
    await until('there is a zombie', () => readProcess(Number(zombie()))?.state === 'Z');
    expect(await sourceOf({ pid: Number(zombie()) })).toMatch(/has ended already$/);
  });

  test('10,000 are checked without blocking the loop', async () => {
    const source = (await sourceOf({ pid: process.pid })) as TrackedSource;
    for (let i = 0; i < 10_000; i++) work.watch(runOf(`job-${i}`, source));
    const hold = watchLoop();
    await until('all are seen', () => events.length === 10_000);
    // A round takes 3 ms at most; the collection of garbage may add to that.
    expect(hold.stop()).toBeLessThan(150);
  });
});

describe('by status file', () => {
  const path = (): string => join(directory, 'status.json');
  const watch = (over: Partial<Run> = {}): void =>
    work.watch(runOf('copy', { by: 'status-file', path: path() }, over));
  const write = (text: string): void => {
    writeFileSync(`${path()}.tmp`, text);
    renameSync(`${path()}.tmp`, path());
  };
  const progress = (percent: number) =>
    untilEvent('progress-read', (event) => 'percent' in event && event.percent === percent);
  test('missing at first, replaced again and again, and ended by its own status', async () => {
    watch();
    write('{"percent": 10.5, "detail": "a secret\\nline", "eta": 3}');
    expect(await progress(10.5)).toMatchObject({ detail: 'a *** line' });
    write('{"percent": 20}');
    await progress(20);
    write('{"percent": 100, "status": "completed", "detail": "7 tables"}');
    expect(await untilEvent('run-concluded')).toEqual({
      type: 'run-concluded',
      run: 'copy/1',
      status: 'completed',
      detail: '7 tables',
    });
    expect(typesOf('copy/1')).toEqual([
      'run-seen',
      'progress-read',
      'progress-read',
      'progress-read',
      'run-concluded',
    ]);
  });

  test('a rewrite in place with the same size at the same moment is seen', async () => {
    writeFileSync(path(), '{"percent": 10}');
    watch();
    await progress(10);
    writeFileSync(path(), '{"percent": 11}');
    await progress(11);
  });

  test('a bad file is reported once, with its path, and the last good values stay', async () => {
    write('{"percent": 30, "status": null}');
    watch();
    await progress(30);
    write('{"percent": 4');
    const event = await untilEvent('watch-problem');
    const reason = event.type === 'watch-problem' ? event.reason : '';
    expect(reason).toMatch(/status\.json is not JSON$/);
    write('{"percent": 31, "status": "running"}');
    await progress(31);
    expect(typesOf('copy/1')).toEqual([
      'run-seen',
      'progress-read',
      'watch-problem',
      'watch-problem',
      'progress-read',
    ]);
  });

  test.each([
    ['', 'is empty'],
    ['[1]', 'is not a JSON object'],
    ['{"percent": "40%"}', 'percent: expected a number from 0 to 100, found text'],
    ['{"percent": 140}', 'found 140'],
    ['{"percent": 1e999}', 'found Infinity'],
    ['{"detail": {"a": 1}}', 'detail: expected text, found an object'],
    ['{"status": "done"}', 'expected running, completed or failed, found "done"'],
  ])('%j is refused', (text, message) => {
    expect(parseStatus(text)).toContain(message);
  });

  test.each(['root:$6$hash:19000:0', 'AWS_SECRET=hunter2', '{"a": hunter2}', 'h'])(
    '%j: a file that is not JSON shows none of its bytes',
    (text) => {
      expect(parseStatus(text)).toBe('is not JSON');
    },
  );

  test.each(['{"percent": "hunter2"}', '{"detail": ["hunter2"]}', '{"status": "the hunter2 key"}'])(
    '%j: a value of the wrong kind is named by its kind',
    (text) => {
      expect(parseStatus(text)).not.toContain('hunter');
    },
  );

  test('a huge file is not read', async () => {
    writeFileSync(path(), JSON.stringify({ detail: 'x'.repeat(70_000) }));
    expect(await readStatusFile(path(), undefined)).toMatchObject({
      kind: 'bad',
      problem: 'has 70013 bytes; 65536 at most',
    });
  });

  test('a link, a pipe and a directory are reported, and delay nothing', async () => {
    const paths = ['link', 'pipe', '.'].map((name) => join(directory, name));
    write('{"percent": 1}');
    symlinkSync(path(), paths[0]!);
    execFileSync('mkfifo', [paths[1]!]);
    paths.forEach((each, index) => {
      work.watch(runOf(`job-${index}`, { by: 'status-file', path: each }));
    });
    watch();
    await progress(1);
    await until(
      'all are reported',
      () => events.filter((e) => e.type === 'watch-problem').length === 3,
    );
    // Two directories are checked side by side, so the order of their events is open.
    const reasons = events.flatMap((e) => (e.type === 'watch-problem' ? (e.reason ?? '') : []));
    expect(reasons.toSorted((a, b) => b.length - a.length)).toEqual([
      expect.stringMatching(/is a symbolic link, which is not followed$/),
      expect.stringMatching(/is not a regular file$/),
      expect.stringMatching(/is not a regular file$/),
    ]);
  });

  test('a run is lost when its file is gone without a final status, but not when the file is gone for a moment', async () => {
    write('{"percent": 1}');
    watch();
    await progress(1);
    rmSync(path());
    write('{"percent": 2}');
    await progress(2);
    rmSync(path());
    expect(await untilEvent('run-lost')).toMatchObject({
      reason: `${path()} is gone, and the work did not report how it ended`,
    });
  });

  const noMount = whyNoHangingMount === '' ? '' : ` (skipped: ${whyNoHangingMount})`;
  test.skipIf(noMount !== '')(
    `a file system that does not answer delays nobody else, and is read again afterwards${noMount}`,
    async () => {
      await work.close();
      work = tracking(GRACE_MS);
      const dead = join(directory, 'dead');
      mkdirSync(dead);
      const mount = await HangingMount.at(dead);
      // More than the four threads that the agent has.
      const names = ['a', 'a2', 'b', 'c', 'd', 'e'];
      try {
        for (const name of names) {
          const hanging = join(dead, name.charAt(0), `${name}.json`);
          work.watch(runOf(`dead-${name}`, { by: 'status-file', path: hanging }));
        }
        write('{"percent": 1}');
        watch();
        await progress(1);
        await until('each is reported', () =>
          names.every((name) => typesOf(`dead-${name}/1`).length > 0),
        );
        expect(events).toContainEqual({
          type: 'watch-problem',
          run: 'dead-a2/1',
          reason: `${dead}/a does not answer: its file system hangs`,
        });
        write('{"percent": 2}');
        await progress(2);
        // The agent's own threads are free.
        await stat(path());
      } finally {
        await mount.release();
      }
      // Of a file that is missing, only the end of the problem is reported.
      await until('that is reported', () => typesOf('dead-e/1').length > 1);
      expect(typesOf('dead-e/1')).toEqual(['watch-problem', 'watch-problem']);
      mkdirSync(join(dead, 'a'));
      writeFileSync(join(dead, 'a', 'a2.json'), '{"percent": 7}');
      await progress(7);
      expect(typesOf('dead-a2/1').slice(0, 3)).toEqual([
        'watch-problem',
        'watch-problem',
        'run-seen',
      ]);
    },
  );

  test('a later agent does not wait for a file that an earlier one has seen', async () => {
    watch({ state: 'running', startedAt: { wallMs: 1, bootMs: 1 } });
    await untilEvent('run-lost');
  });
});
