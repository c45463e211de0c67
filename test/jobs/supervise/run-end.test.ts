/** How a run ended, by its record and by who is left: on a directory that this test writes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  endWithoutRecord,
  errorTail,
  pause,
  readEnd,
} from '../../../src/jobs/supervise/run-end.ts';
import type { RunFiles } from '../../../src/jobs/supervise/run-end.ts';
import { makeRun } from '../support.ts';

/** The end of stderr is never read: the file system does not answer. */
let isDead = false;
vi.mock(import('../../../src/jobs/files/error-tail.ts'), async (original) => {
  const { readErrorTail } = await original();
  return {
    readErrorTail: (path, mask) =>
      isDead ? new Promise(() => undefined) : readErrorTail(path, mask),
  };
});

let directory: string;
let closing: AbortController;
/** What each look at the processes finds; the last one for ever. */
let looks: (readonly number[])[];
let files: RunFiles;

beforeEach(() => {
  isDead = false;
  directory = mkdtempSync(join(tmpdir(), 'run-end-'));
  mkdirSync(join(directory, '.shim'));
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true }));
  closing = new AbortController();
  looks = [[]];
  files = {
    ...{ run: makeRun(['tool']), directory, closing: closing.signal },
    logs: { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') },
    members: () => Promise.resolve(looks.length > 1 ? looks.shift()! : looks[0]!),
    mask: (text) => text.replaceAll('hunter2', '***'),
  };
});

function record(text: string): void {
  writeFileSync(join(directory, '.shim', 'exit.1'), text);
}

describe('an exit record', () => {
  test.each([
    ['0', { exitCode: 0 }],
    ['1', { exitCode: 1 }],
    ['128', { exitCode: 128 }],
    ['129', { exitCode: 129, signal: 'SIGHUP' }],
    ['137', { exitCode: 137, signal: 'SIGKILL' }],
    ['255', { exitCode: 255 }],
  ])('%s', async (text, end) => {
    record(`${text}\n`);
    expect(await readEnd(files)).toEqual({ type: 'run-exited', run: files.run.id, ...end });
  });

  test('that is not there, or is no number, shows nothing', async () => {
    expect(await readEnd(files)).toBeUndefined();
    record('zero\n');
    expect(await readEnd(files)).toBeUndefined();
  });

  test('comes with the end of stderr, masked, and with a start failure in plain words', async () => {
    writeFileSync(files.logs.stderr, 'password hunter2\n');
    record('3\n');
    expect(await readEnd(files)).toMatchObject({ exitCode: 3, errorTail: 'password ***' });
    writeFileSync(files.logs.stderr, 'migration-agent: 24: exec: tool: not found\n');
    record('127\n');
    expect(await readEnd(files)).toMatchObject({
      errorTail: expect.stringContaining('there is no program tool') as string,
    });
  });
});

describe('processes that are left', () => {
  test.each<[string, (readonly number[])[], readonly number[] | undefined]>([
    ['none', [[]], undefined],
    ['those that end a moment later', [[7, 8], []], undefined],
    ['those that stay', [[7, 8], [8]], [8]],
  ])('%s', async (_who, each, left) => {
    record('0\n');
    looks = [...each];
    const end = await readEnd(files);
    expect(end).toEqual({
      ...{ type: 'run-exited', run: files.run.id, exitCode: 0 },
      ...(left === undefined ? {} : { processesLeft: left }),
    });
  });

  test('decide between lost and orphaned where there is no record', async () => {
    const run = files.run.id;
    looks = [[7], []];
    expect(await endWithoutRecord(files, 'why')).toEqual({ type: 'run-lost', run, reason: 'why' });
    looks = [[7], [7]];
    expect(await endWithoutRecord(files, 'why')).toEqual({
      ...{ type: 'run-orphaned', run, pids: [7], reason: 'why' },
    });
  });

  test('that cannot be seen are not taken for gone', async () => {
    const blind = { ...files, members: () => Promise.reject(new Error('no descriptors')) };
    await expect(endWithoutRecord(blind, 'why')).rejects.toThrow('no descriptors');
    record('0\n');
    await expect(readEnd(blind)).rejects.toThrow('no descriptors');
  });
});

test('a host that closes waits for no dead file system, and for no pause', async () => {
  isDead = true;
  const tail = errorTail(files);
  const paused = pause(3_600_000, closing.signal);
  closing.abort();
  expect(await tail).toBeUndefined();
  await paused;
  await pause(3_600_000, closing.signal);
});

test('the limit of a tail that was read does not go on', async () => {
  writeFileSync(files.logs.stderr, 'oh\n');
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  expect(await errorTail(files)).toBe('oh');
  expect(timers()).toBeLessThanOrEqual(before);
});
