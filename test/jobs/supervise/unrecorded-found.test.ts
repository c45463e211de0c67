/** Which run directories of an earlier agent are adopted, hold their jobs, or are shown: by their files alone. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { HostIdentity } from '../../../src/core/model/host-identity.ts';
import { runDirectory } from '../../../src/jobs/files/run-directory.ts';
import { writeRunRecord } from '../../../src/jobs/files/run-record.ts';
import { UnrecordedRuns } from '../../../src/jobs/supervise/unrecorded-runs.ts';
import { bootId, makeRun } from '../support.ts';

/** No process has it: it is the largest. */
const NO_PID = 4_194_303;

let state: string;
let members: Record<string, readonly number[]>;
let runs: UnrecordedRuns;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'unrecorded-'));
  const made = state;
  onTestFinished(() => rmSync(made, { recursive: true }));
  members = {};
  runs = unrecorded();
});

function unrecorded(hostIdentity?: HostIdentity): UnrecordedRuns {
  return new UnrecordedRuns({
    ...{ stateDirectory: state, bootId },
    ...(hostIdentity === undefined ? {} : { hostIdentity }),
    members: ({ id }) => Promise.resolve(members[id] ?? []),
  });
}

interface Lying {
  readonly spawn?: number;
  readonly boot?: string;
  readonly exit?: string;
  readonly record?: boolean | string;
  readonly host?: HostIdentity;
}

/** What a run of an earlier agent has left. Returns its directory. */
function lying(job: string, number: number, of: Lying = {}): string {
  const { spawn = 1, boot = bootId, exit, record = true, host } = of;
  const directory = runDirectory(state, job, number);
  const records = join(directory, '.shim');
  mkdirSync(records, { recursive: true });
  writeFileSync(join(records, `start-lock.${spawn}`), '');
  writeFileSync(join(records, `started.${spawn}`), `${NO_PID} ${boot} 5 /run/a.sock\n`);
  if (exit !== undefined) writeFileSync(join(records, `exit.${spawn}`), `${exit}\n`);
  if (typeof record === 'string') writeFileSync(join(directory, 'run.json'), record);
  if (record === true)
    writeRunRecord(directory, makeRun(['true'], {}, { job, number, spawn }), host);
  return directory;
}

const never = (): boolean => false;
const found = (isKnown: (id: string) => boolean = never): string[] =>
  runs
    .find(isKnown)
    .map(({ run, isOfThisBoot }) => `${run.id}${isOfThisBoot ? '' : ' (earlier boot)'}`);

describe('a run that can be adopted', () => {
  test('has a record, whether it lives or has ended, in this boot or before', () => {
    lying('a', 1);
    lying('b', 1, { exit: '0' });
    lying('c', 1, { boot: 'another-boot' });
    expect(found()).toEqual(['a/1', 'b/1', 'c/1 (earlier boot)']);
    expect(runs.problems()).toEqual([]);
  });

  test('is not known to the store', () => {
    lying('a', 1);
    lying('a', 2);
    expect(found((id) => id === 'a/1')).toEqual(['a/2']);
    expect(found(() => true)).toEqual([]);
  });

  test('was started: a start lock alone is none, and of several starts the last counts', () => {
    const directory = lying('a', 1, { spawn: 2 });
    writeFileSync(join(directory, '.shim/start-lock.1'), '');
    expect(found()).toEqual(['a/1']);
    writeFileSync(join(directory, '.shim/start-lock.3'), '');
    expect(found()).toEqual([]);
    mkdirSync(join(runDirectory(state, 'b', 1), '.shim'), { recursive: true });
    expect(found()).toEqual([]);
  });

  test('comes after those of its job before it, by number and not by name', () => {
    for (const number of [10, 9, 100]) lying('b', number);
    lying('a', 3);
    expect(found()).toEqual(['a/3', 'b/9', 'b/10', 'b/100']);
    expect(['a/3', 'b/9', 'b/10', 'b/100'].map((id) => runs.earlierThan(id))).toEqual([
      ...[undefined, undefined, 'b/9', 'b/10'],
    ]);
  });

  test('may have a long name, in directories of its own, and lies beside what is no run', () => {
    lying('x'.repeat(500), 7);
    // Moved aside, with all that it had.
    const aside = join(state, 'runs/copy/1.aside-1');
    mkdirSync(join(state, 'runs/copy'));
    renameSync(lying('moved', 1), aside);
    writeFileSync(join(state, 'runs/note'), '');
    writeFileSync(join(state, 'runs/copy/2'), '');
    expect(found()).toEqual([`${'x'.repeat(500)}/7`]);
  });

  test('is of this host: that of another, from which the state was copied, is left alone', () => {
    lying('a', 1, { host: { machine: 'one' } });
    lying('b', 1, { host: { machine: 'two' } });
    lying('c', 1);
    runs = unrecorded({ machine: 'one' });
    expect(found()).toEqual(['a/1', 'c/1']);
    expect(runs.problems()).toEqual([]);
    runs = unrecorded();
    expect(found()).toEqual(['a/1', 'b/1', 'c/1']);
  });

  test('nothing is there in a new state directory', () => {
    expect(found()).toEqual([]);
    expect(runs.problems()).toEqual([]);
  });
});

describe('a run without a whole record', () => {
  test('that may live holds its job, and no other', async () => {
    lying('a', 1, { record: false });
    lying('a', 2, { record: false });
    expect(found()).toEqual([]);
    members = { 'a/1': [7, 8], 'a/2': [9] };
    expect(await runs.membersOf('a')).toEqual([7, 8, 9]);
    expect(await runs.membersOf('b')).toEqual([]);
    members = { 'a/2': [9] };
    expect(await runs.membersOf('a')).toEqual([9]);
    // What was found empty is not looked for again.
    members = { 'a/1': [7] };
    expect(await runs.membersOf('a')).toEqual([]);
    expect(runs.problems()).toEqual([]);
  });

  test('that has ended, or is of an earlier boot, holds nothing; a damaged record of it is shown', async () => {
    const ended = lying('a', 1, { exit: '0', record: '{"half' });
    const earlier = lying('b', 1, { boot: 'another-boot', record: '[]' });
    lying('c', 1, { exit: '0', record: false });
    expect(found()).toEqual([]);
    members = { 'a/1': [7], 'b/1': [7], 'c/1': [7] };
    expect(await runs.membersOf('a')).toEqual([]);
    expect(await runs.membersOf('b')).toEqual([]);
    expect(runs.problems()).toEqual([
      expect.stringContaining(
        `run a/1 has ended, and its end may not have been reported: its record is damaged; its output is in ${ended}`,
      ),
      expect.stringContaining(
        `run b/1 has ended, and its end may not have been reported: its record is damaged; its output is in ${earlier}`,
      ),
    ]);
  });

  test('whose shim is gone may have processes: it is shown when the last one has ended', async () => {
    lying('a', 1, { record: '{"half' });
    expect(found()).toEqual([]);
    const damaged = expect.stringContaining('run a/1 has ended') as string;
    expect(runs.problems()).toEqual([damaged]);
    members = { 'a/1': [7] };
    expect(await runs.membersOf('a')).toEqual([7]);
    members = {};
    expect(await runs.membersOf('a')).toEqual([]);
    expect(runs.problems()).toEqual([damaged]);
  });
});

describe('directories that cannot be looked into', () => {
  test('are looked into before the next start: what is there then holds its job, and is reported by the next agent', async () => {
    lying('a', 1);
    const records = join(runDirectory(state, 'a', 1), '.shim');
    rmSync(join(records, 'start-lock.1'));
    rmSync(records, { recursive: true });
    // A link to itself: ELOOP, also for root.
    symlinkSync('.shim', records);
    expect(found()).toEqual([]);
    const unlooked = expect.stringContaining(
      'the runs of an earlier agent cannot be looked for: ELOOP',
    ) as string;
    expect(runs.problems()).toEqual([unlooked]);
    await expect(runs.membersOf('b')).rejects.toThrow('cannot be looked for: ELOOP');
    unlinkSync(records);
    lying('a', 1);
    members = { 'a/1': [7] };
    expect(await runs.membersOf('a')).toEqual([7]);
    members = {};
    expect(await runs.membersOf('a')).toEqual([]);
    expect(runs.problems()).toEqual([
      'run a/1 has ended, and its end may not have been reported: restart the agent, which then reports it',
    ]);
  });

  test('a file in their place has no runs', async () => {
    lying('a', 1);
    rmSync(join(state, 'runs'), { recursive: true });
    writeFileSync(join(state, 'runs'), '');
    expect(found()).toEqual([]);
    expect(await runs.membersOf('a')).toEqual([]);
    expect(runs.problems()).toEqual([]);
  });
});
