/**
 * What the agent reads from the files of a control group, and what it removes: on ordinary directories, so that it can be seen
 * on every host. Real groups are in cgroups.test.ts.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Cgroups, RunCgroup } from '../../../src/jobs/process/cgroups.ts';
import { CannotSee } from '../../../src/jobs/process/process-table.ts';
import { makeRun } from '../support.ts';

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cgroup-files-'));
  writeFileSync(join(base, 'cgroup.procs'), '');
  const made = base;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

/** A group with these processes; `populated` counts those below it too. */
function group(name: string, pids: readonly number[], populated = pids.length > 0): RunCgroup {
  const path = join(base, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'cgroup.procs'), pids.map((pid) => `${pid}\n`).join(''));
  writeFileSync(join(path, 'cgroup.events'), `populated ${populated ? 1 : 0}\nfrozen 0\n`);
  return new RunCgroup(path);
}

describe('members', () => {
  test('are those of the group and of all groups below it', () => {
    const top = group('run', [11, 12]);
    group('run/below', [13]);
    group('run/below/deep', [14]);
    expect(top.members().toSorted()).toEqual([11, 12, 13, 14]);
  });

  test('a group that is not populated has none, whatever is listed, and neither has one that is gone', () => {
    expect(group('run', [11], false).members()).toEqual([]);
    expect(new RunCgroup(join(base, 'none')).members()).toEqual([]);
  });

  test('a populated group without a number in sight cannot be seen: that is not "none"', () => {
    // 0 is a process of another pid namespace.
    expect(() => group('run', [0], true).members()).toThrow(CannotSee);
    expect(group('other', [0, 15]).members()).toEqual([15]);
  });
});

describe('a group is empty', () => {
  test('if the kernel says that it is not populated, below it either', () => {
    expect(group('run', [], false).isEmpty()).toBe(true);
    expect(group('run', [], true).isEmpty()).toBe(false);
  });

  test('if it was removed, which shows only where its parent can be seen', () => {
    expect(new RunCgroup(join(base, 'gone')).isEmpty()).toBe(true);
    expect(new RunCgroup(join(base, 'gone/deeper')).isEmpty()).toBe(true);
    expect(new RunCgroup('/nonexistent/of/another/mount').isEmpty()).toBe(false);
  });
});

describe('what is written', () => {
  test('goes into files that the kernel has made, and into no others', () => {
    const run = group('run', []);
    writeFileSync(join(run.path, 'cgroup.kill'), '');
    expect([run.place(17), run.kill()]).toEqual([true, true]);
    expect(readFileSync(join(run.path, 'cgroup.procs'), 'utf8')).toBe('17');
    expect(readFileSync(join(run.path, 'cgroup.kill'), 'utf8')).toBe('1');
    const none = new RunCgroup(join(base, 'none'));
    expect([none.place(17), none.kill()]).toEqual([false, false]);
    expect(readdirSync(base)).toEqual(['cgroup.procs', 'run']);
  });
});

describe('what is removed', () => {
  const empty = (name: string): void => void mkdirSync(join(base, name), { recursive: true });
  const left = (): string[] => readdirSync(base).filter((name) => name !== 'cgroup.procs');

  test('a group with the groups below it; one that has something in it stays; one that is gone is removed', () => {
    empty('run/below/deep');
    expect(new RunCgroup(join(base, 'run')).remove()).toBe(true);
    expect(new RunCgroup(join(base, 'run')).remove()).toBe(true);
    group('busy', [11]);
    expect(new RunCgroup(join(base, 'busy')).remove()).toBe(false);
    expect(left()).toEqual(['busy']);
  });

  test("systemd's own groups are left to it", () => {
    empty('migration-job.service');
    expect(new RunCgroup(join(base, 'migration-job.service')).remove()).toBe(true);
    expect(left()).toEqual(['migration-job.service']);
  });

  test("of runs that ended while no agent ran: the agent's own, not those of another agent in the same place", () => {
    const [own, other] = [new Cgroups(base, '/run/a.sock'), new Cgroups(base, '/run/b.sock')];
    const [run, strange] = [own.create(makeRun(['true'])), other.create(makeRun(['true']))];
    empty('run-of-somebody');
    own.removeEmpty();
    expect(left().toSorted()).toEqual([strange!.name, 'run-of-somebody'].toSorted());
    expect(run!.isEmpty()).toBe(true);
  });
});

describe('the name of a group', () => {
  test('shows the job as far as a file name can, and is another for each run, spawn and agent', () => {
    const cgroups = new Cgroups(base, '/run/a.sock');
    const run = makeRun(['true'], {}, { job: 'a/b c:ü', number: 7, spawn: 2 });
    expect(cgroups.nameOf(run)).toMatch(/^run-[0-9a-f]{8}-a_b_c__-7\.2$/);
    expect(cgroups.nameOf({ ...run, spawn: 3 })).not.toBe(cgroups.nameOf(run));
    expect(new Cgroups(base, '/run/b.sock').nameOf(run)).not.toBe(cgroups.nameOf(run));
    const long = makeRun(['true'], {}, { job: 'x'.repeat(300), number: 7, spawn: 2 });
    expect(cgroups.nameOf(long)).toMatch(/^run-[0-9a-f]{8}-x{100}-7\.2$/);
  });

  test('a group that cannot be made is none', () => {
    writeFileSync(join(base, 'file'), '');
    expect(
      new Cgroups(join(base, 'file'), '/run/a.sock').create(makeRun(['true'])),
    ).toBeUndefined();
  });
});
