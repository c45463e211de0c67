/** The status files of one directory: what each look means for a run. The looks are given, so that each comes when it should. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { Run } from '../../../src/core/model/job.ts';
import { DirectoryWatch } from '../../../src/jobs/tracked/directory.ts';
import type { StatusRead } from '../../../src/jobs/tracked/status-file.ts';
import { definition } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

let events: Event[];
/** What a look at each path finds; a path that is not here is missing. */
let found: Record<string, StatusRead>;
/** Looks so far, with the version that was known. */
let looks: { path: string; version: string | undefined }[];
/** A look that lasts until it is let go. */
let held: (() => void) | undefined;
let watch: DirectoryWatch;
let graceMs: number;

beforeEach(() => {
  events = [];
  found = {};
  looks = [];
  held = undefined;
  graceMs = 60_000;
  watch = watching({});
});
afterEach(async () => {
  held?.();
  await watch.close();
});

function watching(more: { hangingAfterMs?: number; graceMs?: number }): DirectoryWatch {
  return new DirectoryWatch('/srv', {
    post: (event) => events.push(event),
    mask: (text) => text.replaceAll('secret', '***'),
    graceMs: more.graceMs ?? graceMs,
    hangingAfterMs: more.hangingAfterMs ?? 60_000,
    pauseMs: () => 1,
    check: async (path, version) => {
      looks.push({ path, version });
      if (path === '/srv/held' && held !== undefined) {
        await new Promise<void>((resolve) => (held = resolve));
      }
      const what = found[path] ?? { kind: 'missing' };
      return what.kind === 'read' && what.version === version ? { kind: 'unchanged' } : what;
    },
  });
}

function runOf(name: string, over: Partial<Run> = {}): Run {
  return {
    ...{ id: `${name}/1`, job: name, number: 1, origin: 'tracked', state: 'starting', spawn: 1 },
    definition: definition(name, { command: [] }),
    requestedAt: { wallMs: 0, bootMs: 0 },
    ...over,
  };
}

const read = (version: string, percent: number): StatusRead => ({
  ...{ kind: 'read', version },
  fields: { percent },
});
const bad = (version: string, problem = 'is no JSON'): StatusRead => ({
  ...{ kind: 'bad', version, problem },
});
const types = (): string[] => events.map(({ type }) => type);

/** Until the path was looked at `more` times from here on. */
async function lookedAt(path: string, more = 2): Promise<void> {
  const count = (): number => looks.filter((look) => look.path === path).length;
  const before = count();
  await until(`${path} was looked at`, () => count() >= before + more);
}

test('a file that is not there yet is waited for without an end', async () => {
  await watch.close();
  watch = watching({ graceMs: 0 });
  watch.add(runOf('a'), '/srv/a');
  await lookedAt('/srv/a', 5);
  expect(events).toEqual([]);
  found['/srv/a'] = read('1', 40);
  await until('it is seen', () => types().includes('progress-read'));
  expect(types()).toEqual(['run-seen', 'progress-read']);
  delete found['/srv/a'];
  await until('it is lost', () => types().includes('run-lost'));
  expect(events.at(-1)).toMatchObject({
    reason: expect.stringContaining('/srv/a is gone') as string,
  });
  expect(watch.size).toBe(0);
});

test('a file that an earlier agent has seen is lost if it stays away', async () => {
  await watch.close();
  watch = watching({ graceMs: 0 });
  watch.add(runOf('a', { startedAt: { wallMs: 1, bootMs: 1 } }), '/srv/a');
  await until('it is lost', () => types().includes('run-lost'));
});

test('gone, back and gone again: its whole time begins anew', async () => {
  let laterMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + laterMs);
  onTestFinished(() => clock.mockRestore());
  found['/srv/a'] = read('1', 1);
  watch.add(runOf('a'), '/srv/a');
  await until('it is seen', () => types().includes('run-seen'));
  const goneFor = async (ms: number): Promise<void> => {
    delete found['/srv/a'];
    await lookedAt('/srv/a');
    laterMs += ms;
    await lookedAt('/srv/a');
  };
  await goneFor(50_000);
  found['/srv/a'] = read('2', 2);
  await lookedAt('/srv/a');
  await goneFor(50_000);
  expect(types()).not.toContain('run-lost');
  laterMs += 20_000;
  await until('it is lost', () => types().includes('run-lost'));
});

test('a file in the middle of being written is no problem, one that stays bad is', async () => {
  found['/srv/a'] = bad('1');
  watch.add(runOf('a'), '/srv/a');
  watch.add(runOf('b'), '/srv/b');
  await until('it is looked at', () => looks.some(({ path }) => path === '/srv/a'));
  await until('it is a problem', () => types().includes('watch-problem'));
  expect(events[0]).toEqual({ type: 'watch-problem', run: 'a/1', reason: '/srv/a is no JSON' });
  // It is the second look that says so.
  expect(looks.filter(({ path }) => path === '/srv/a').length).toBeGreaterThanOrEqual(2);
  found['/srv/a'] = read('2', 5);
  await until('it is good', () => types().includes('progress-read'));
  expect(events[1]).toEqual({ type: 'watch-problem', run: 'a/1' });
});

/** The looks that follow each other, the last one for ever, with the versions that were known at each. */
async function looksOneAfterTheOther(
  ...each: readonly StatusRead[]
): Promise<readonly (string | undefined)[]> {
  const known: (string | undefined)[] = [];
  await watch.close();
  watch = new DirectoryWatch('/srv', {
    ...{ post: (event: Event) => events.push(event), mask: (text: string) => text },
    ...{ graceMs: 60_000, hangingAfterMs: 60_000, pauseMs: () => 1 },
    check: (_path, version) => {
      known.push(version);
      return Promise.resolve(each[Math.min(known.length, each.length) - 1]!);
    },
  });
  watch.add(runOf('a'), '/srv/a');
  await until('all were looked at', () => known.length > each.length);
  return known;
}

test.each<[string, StatusRead]>([
  ['a good one', read('2', 1)],
  ['a look that finds no file', { kind: 'missing' }],
])('a bad look before %s does not count with the next bad one', async (_what, between) => {
  await looksOneAfterTheOther(bad('1'), between, bad('3'), read('4', 2));
  expect(types()).not.toContain('watch-problem');
});

test('a file that comes back is read, whatever it was when it went', async () => {
  const known = await looksOneAfterTheOther(
    read('1', 1),
    { kind: 'unchanged' },
    { kind: 'missing' },
    { kind: 'missing' },
    { kind: 'unchanged' },
  );
  expect(known.slice(0, 5)).toEqual([undefined, '1', '1', undefined, undefined]);
});

test('a problem is masked', async () => {
  found['/srv/a'] = bad('1', 'holds a secret');
  watch.add(runOf('a'), '/srv/a');
  await until('it is a problem', () => types().includes('watch-problem'));
  expect(events[0]).toMatchObject({ reason: '/srv/a holds a ***' });
});

test('a run that was released while its file was looked at is not reported', async () => {
  held = () => undefined;
  found['/srv/held'] = read('1', 50);
  const run = runOf('held');
  watch.add(run, '/srv/held');
  await until('the look has begun', () => looks.length === 1);
  watch.remove(run);
  held();
  held = undefined;
  watch.add(runOf('b'), '/srv/b');
  await lookedAt('/srv/b');
  expect(events).toEqual([]);
});

test('a file system that hangs is the problem of every job there, and what is read afterwards counts anew', async () => {
  await watch.close();
  watch = watching({ hangingAfterMs: 1 });
  found = { '/srv/held': read('1', 1), '/srv/b': read('1', 7) };
  watch.add(runOf('b'), '/srv/b');
  await until('it is read', () => types().includes('progress-read'));
  held = () => undefined;
  watch.add(runOf('held'), '/srv/held');
  const problems = (): string[] =>
    events.flatMap((event) =>
      event.type === 'watch-problem' && event.reason?.includes('hangs') ? [event.run] : [],
    );
  await until('both have a problem', () => new Set(problems()).size === 2);
  const before = looks.length;
  held();
  held = undefined;
  await until('b is looked at', () => looks.slice(before).some(({ path }) => path === '/srv/b'));
  // Without a version: who knows what happened meanwhile.
  expect(looks.slice(before).find(({ path }) => path === '/srv/b')?.version).toBeUndefined();
});
