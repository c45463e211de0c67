/** One run's progress from poll to poll: a slow pattern, a record without an end, a secret, a log that cannot be read. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JobDefinition } from '../../../src/core/model/job.ts';
import { ProgressReader } from '../../../src/jobs/progress/reader.ts';
import { makeRun } from '../support.ts';

/** Of the next searches each: whether it takes too long. */
const searches = vi.hoisted(() => ({ slow: [] as boolean[], made: 0 }));
vi.mock(import('../../../src/jobs/progress/time-limit.ts'), () => ({
  withinTime: <Result>(_ms: number, work: () => Result) => {
    searches.made += 1;
    return searches.slow.shift() === true ? undefined : { result: work() };
  },
}));

let logs: { readonly stdout: string; readonly stderr: string };
beforeEach(() => {
  Object.assign(searches, { slow: [], made: 0 });
  const directory = mkdtempSync(join(tmpdir(), 'reader-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  logs = { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') };
  for (const path of Object.values(logs)) writeFileSync(path, '');
});

function reader(progress: JobDefinition['progress']): ProgressReader {
  return new ProgressReader({
    ...{ definition: makeRun(['tool'], { progress }).definition, logs },
    ...{ closing: new AbortController().signal, mask: (text) => text.replaceAll('hunter2', '***') },
    launch: () => Promise.resolve({ cwd: '/', env: {} }),
  });
}

const DONE = { parser: 'regex', pattern: String.raw`done (?<percent>\d+)` } as const;

describe('a pattern that is slow', () => {
  /** What each poll reads that finds one line more. */
  function polls(slow: readonly boolean[]): (number | undefined)[] {
    const read = reader(DONE);
    searches.slow = [...slow];
    return slow.map((_is, index) => {
      appendFileSync(logs.stdout, `done ${index}\n`);
      return read.poll()?.percent;
    });
  }

  test('now and then is used further: three in a row are too many', () => {
    const [y, n] = [true, false];
    expect(polls([y, y, n, y, y, n])).toEqual([U, U, 2, U, U, 5]);
    expect(searches.made).toBe(6);
    searches.made = 0;
    expect(polls([y, y, y, n, n])).toEqual([U, U, U, U, U]);
    expect(searches.made).toBe(3);
  });
});
const U = undefined;

describe('a secret', () => {
  test('in a group of a pattern is masked with what stands before it', () => {
    const read = reader({ parser: 'regex', pattern: '^at (?<detail>.*)$' });
    appendFileSync(logs.stdout, 'at hunter2\n');
    expect(read.poll()).toEqual({ detail: '***' });
    appendFileSync(logs.stdout, 'at home\n');
    expect(read.poll()).toEqual({ detail: 'home' });
  });

  test('whose masked record the pattern does not fit, or is too slow for, has no detail', () => {
    const read = reader({ parser: 'regex', pattern: '^at (?<detail>hun.*)$' });
    appendFileSync(logs.stdout, 'at hunter2\n');
    expect(read.poll()).toBeUndefined();
    searches.slow = [false, true];
    appendFileSync(logs.stdout, 'at hunt hunter2\n');
    expect(read.poll()).toBeUndefined();
  });
});

describe('a record without an end', () => {
  test('is read as far as it is whole, again only when it has grown', () => {
    const read = reader(DONE);
    appendFileSync(logs.stdout, 'done 3 of it, done 4');
    expect(read.poll()).toEqual({ percent: 3 });
    const before = searches.made;
    expect(read.poll()).toBeUndefined();
    expect(searches.made).toBe(before);
    appendFileSync(logs.stdout, '2 \n');
    expect(read.poll()).toBeUndefined();
  });

  test('counts no entry, where each record counts', async () => {
    const read = reader({ parser: 'pg_restore' });
    appendFileSync(logs.stderr, 'pg_restore: creating TABLE "a"\npg_restore: creating TABLE "b"');
    expect(read.poll()).toEqual({ detail: '0 entries, creating TABLE "a"' });
    expect(read.readTo('stderr')).toBeGreaterThan(0);
    expect(await read.ended(true)).toEqual({ detail: '2 entries, all restored' });
  });
});

test('a log that cannot be read is no end of the others, and is read when it can be', () => {
  const read = reader({ parser: 'json' });
  rmSync(logs.stdout);
  appendFileSync(logs.stderr, '{"percent":1}\n');
  expect(read.poll()).toEqual({ percent: 1 });
  writeFileSync(logs.stdout, '{"percent":2}\n');
  expect(read.poll()).toEqual({ percent: 2 });
});

describe('the end', () => {
  test('reads all that was written, piece by piece, and what the end itself shows', async () => {
    const read = reader({ parser: 'rsync' });
    expect(await read.ended(true)).toEqual({ percent: 100 });
    const failed = reader({ parser: 'rsync' });
    expect(await failed.ended(false)).toBeUndefined();
  });

  test('reads a counting parser’s output whole, if it is no flood', async () => {
    const line = `pg_restore: creating TABLE "${'x'.repeat(200)}"\n`;
    appendFileSync(logs.stderr, line.repeat(4_000));
    const read = reader({ parser: 'pg_restore' });
    expect(await read.ended(true)).toEqual({ detail: '4000 entries, all restored' });
  });
});

test('what did not change is not reported again, a detail alone is', () => {
  const read = reader({ parser: 'json' });
  const poll = (line: string) => {
    appendFileSync(logs.stdout, `${line}\n`);
    return read.poll();
  };
  expect(poll('{"percent":3.2,"detail":"a"}')).toEqual({ percent: 3, detail: 'a' });
  expect(poll('{"percent":3.9,"detail":"a"}')).toBeUndefined();
  expect(poll('{"detail":"b"}')).toEqual({ percent: 3, detail: 'b' });
  expect(poll('{"percent":4}')).toEqual({ percent: 4, detail: 'b' });
});
