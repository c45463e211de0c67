/** What a job finds in its environment: a clean base, its own variables, and the marks that nobody can take away. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  isRunMark,
  jobEnvironment,
  ownAccount,
  runMark,
} from '../../../src/jobs/process/environment.ts';
import { makeRun } from '../support.ts';

const BASE = ['PATH', 'HOME', 'USER', 'LANG', 'TZ'] as const;
let before: NodeJS.ProcessEnv;

beforeEach(() => {
  before = { ...process.env };
  for (const name of BASE) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  for (const name of BASE) {
    Reflect.deleteProperty(process.env, name);
    if (before[name] !== undefined) process.env[name] = before[name];
  }
});

const run = makeRun(['true'], { environment: { COLOUR: 'red' } }, { job: 'copy', number: 7 });
const marks = {
  MIGRATION_JOB: 'copy',
  MIGRATION_RUN: '7',
  MIGRATION_AGENT_SOCKET: '/run/a.sock',
};
const USER = { name: 'migrator', uid: 1001, gid: 1001, home: '/home/migrator' };

test('of an agent without any: what a login would give', () => {
  expect(jobEnvironment(run, '/run/a.sock', undefined)).toEqual({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: ownAccount().homedir,
    USER: ownAccount().username,
    ...{ LANG: 'C.UTF-8', COLOUR: 'red' },
    ...marks,
  });
});

test('is that of the agent, but a user of its own has a home and a name of its own', () => {
  Object.assign(process.env, {
    ...{ PATH: '/agent', HOME: '/var/agent', USER: 'agent', LANG: 'de_DE', TZ: 'UTC' },
  });
  expect(jobEnvironment(run, '/run/a.sock', undefined)).toEqual({
    ...{ PATH: '/agent', HOME: '/var/agent', USER: 'agent', LANG: 'de_DE', TZ: 'UTC' },
    COLOUR: 'red',
    ...marks,
  });
  expect(jobEnvironment(run, '/run/a.sock', USER)).toMatchObject({
    ...{ HOME: '/home/migrator', USER: 'migrator', PATH: '/agent' },
  });
});

test('the definition counts more than the base and the pipeline, the marks more than all', () => {
  const environment = { HOME: '/own', COLOUR: 'blue', MIGRATION_RUN: '1', MIGRATION_JOB: 'other' };
  const of = makeRun(['true'], { environment }, { job: 'copy', number: 7 });
  expect(jobEnvironment(of, '/run/a.sock', USER)).toMatchObject({
    ...{ HOME: '/own', COLOUR: 'blue' },
    ...marks,
  });
});

test('the mark names job, run and agent together', () => {
  expect(runMark(run, '/run/a.sock')).toEqual([
    ...['MIGRATION_JOB=copy', 'MIGRATION_RUN=7', 'MIGRATION_AGENT_SOCKET=/run/a.sock'],
  ]);
  expect(['MIGRATION_JOB', 'MIGRATION_RUNS', 'HOME'].map(isRunMark)).toEqual([true, false, false]);
});
