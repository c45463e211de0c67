/** What is left on the disk of runs that the agent has forgotten, or that ended long ago. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeRunDirectory, runDirectory } from '../../../src/jobs/files/run-directory.ts';
import { removeOldRuns, removeRun } from '../../../src/jobs/files/run-retention.ts';
import { makeRun, sh, until, withHosts } from '../support.ts';

const LONG = 'ü'.repeat(200);

describe('runs that ended long ago', () => {
  test('leave nothing; one that is watched, or that changed since, stays', () =>
    withHosts(async (newHost, directory) => {
      const host = newHost();
      const runs = [1, 2, 3].map((number) => makeRun(sh('echo on'), {}, { number, job: 'a/b' }));
      for (const run of runs) host.host.start(run);
      await until(
        () => host.all('run-exited').length === 3,
        () => 'the ends',
      );
      const [old, watched] = runs.map((run) => host.path(run, ''));
      for (const path of [old!, watched!]) await makeOld(path);
      await removeOldRuns(directory, Date.now() - 60_000, new Set([watched!.replace(/\/$/, '')]));
      expect((await readdir(join(old!, '..'))).sort()).toEqual(['2', '3']);
    }));

  test('leave no directory of their job', () =>
    withHosts(async (_, directory) => {
      for (const job of ['copy', LONG, 'runs']) {
        const run = runDirectory(directory, job, 1);
        makeRunDirectory(run);
        await makeOld(run);
      }
      // Of somebody else.
      await writeFile(join(directory, 'runs', 'copy', 'note'), '');
      await writeFile(join(directory, 'note'), '');
      // As agents before this one left it.
      await mkdir(join(directory, 'runs', 'empty'));
      await removeOldRuns(directory, Date.now() - 60_000, new Set());
      expect(await readdir(join(directory, 'runs'), { recursive: true })).toEqual([
        ...['copy', join('copy', 'note')],
      ]);
    }));
});

describe('a run that the planner forgets', () => {
  test('leaves nothing, and nothing of its job', () =>
    withHosts(async (newHost, directory) => {
      const host = newHost();
      const run = makeRun(sh('echo on'));
      host.host.start(run);
      await host.event('run-exited');
      host.host.forget(run);
      await until(
        () => readNames(directory).then((names) => names.length === 0),
        () => 'the directories to go',
      );
    }));

  test('leaves the other runs of its job', () =>
    withHosts(async (_, directory) => {
      for (const number of [1, 2]) makeRunDirectory(runDirectory(directory, LONG, number));
      await removeRun(directory, runDirectory(directory, LONG, 1));
      expect(existsSync(runDirectory(directory, LONG, 1))).toBe(false);
      expect(existsSync(runDirectory(directory, LONG, 2))).toBe(true);
      await removeRun(directory, runDirectory(directory, LONG, 2));
      expect(await readNames(directory)).toEqual([]);
    }));

  test('twice is no error, and takes nothing but directories of runs', () =>
    withHosts(async (_, directory) => {
      makeRunDirectory(runDirectory(directory, 'copy', 1));
      for (const time of [1, 2]) {
        await removeRun(directory, runDirectory(directory, 'copy', 1));
        expect(await readdir(directory), `${time}`).toEqual(['runs']);
      }
    }));

  test('does not keep the next run of its name from starting', () =>
    withHosts(async (_, directory) => {
      const [old, next] = [1, 2].map((number) => runDirectory(directory, 'copy', number));
      for (let round = 0; round < 200; round++) {
        makeRunDirectory(old!);
        const removed = removeRun(directory, old!);
        makeRunDirectory(next!);
        await removed;
        expect(existsSync(next!)).toBe(true);
        await removeRun(directory, next!);
      }
    }));
});

async function makeOld(directory: string): Promise<void> {
  for (const name of ['.', ...(await readdir(directory, { recursive: true })), '.'])
    await utimes(join(directory, name), 1000, 1000);
}

function readNames(directory: string): Promise<string[]> {
  return readdir(join(directory, 'runs'));
}
