/**
 * Runs whose shims systemd starts: what it is asked for, and what its answers mean. A program in its place runs what it is
 * given, or fails, so that this is seen on hosts without systemd; the real one is in test/systemd.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startShimUnit, unitName } from '../../../src/jobs/supervise/shim-unit.ts';
import { bootId, makeRun, sh, until, withHosts } from '../support.ts';

/** Runs the service in the background, as systemd reads its properties and its `$$`. */
const RUNS = `
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const args = process.argv.slice(2);
const at = args.indexOf('--');
const properties = Object.fromEntries(args.slice(0, at).flatMap((one) => {
  const [, name, value] = /^--property=(\\w+)=(.*)$/s.exec(one) ?? [];
  return name === undefined ? [] : [[name, value]];
}));
fs.writeFileSync(process.env.ASKED, JSON.stringify({ options: args.slice(0, at), properties }));
const file = fs.readFileSync(properties.EnvironmentFile, 'utf8');
fs.writeFileSync(process.env.ASKED + '.environment', file);
const entries = [...file.matchAll(/^(\\w+)="((?:[^"\\\\]|\\\\.)*)"$/gms)];
const env = Object.fromEntries(entries.map(([, name, value]) => [name, value.replace(/\\\\(.)/gs, '$1')]));
const log = (name) => fs.openSync(properties[name].replace(/^append:/, ''), 'a');
const [program, ...rest] = args.slice(at + 1).map((one) => one.replaceAll('$$', '$'));
const child = spawn(program, rest, { cwd: properties.WorkingDirectory, env, detached: true,
  stdio: ['ignore', log('StandardOutput'), log('StandardError')] });
child.unref();
`;

/** Puts a program in the place of systemd-run. Returns what it was asked for. */
function systemdRun(directory: string, script: string | undefined): () => Asked {
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const { PATH, ASKED } = process.env;
  onTestFinished(() => {
    process.env['PATH'] = PATH;
    if (ASKED === undefined) Reflect.deleteProperty(process.env, 'ASKED');
  });
  process.env['ASKED'] = join(directory, 'asked');
  if (script === undefined) process.env['PATH'] = bin;
  else {
    const file = join(bin, 'systemd-run');
    writeFileSync(file, script);
    chmodSync(file, 0o755);
    process.env['PATH'] = `${bin}:${PATH ?? ''}`;
  }
  return () => JSON.parse(readFileSync(join(directory, 'asked'), 'utf8')) as Asked;
}

interface Asked {
  readonly options: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

const node = (script: string): string => `#!${process.execPath}\n${script}`;

test('a job runs as a service of its own, with its environment and its logs, and its end is recorded', () =>
  withHosts(async (newHost, directory) => {
    const asked = systemdRun(directory, node(RUNS));
    const host = newHost(bootId, undefined, 'unit');
    const environment = { TEXT: 'a "b" $c `d` \\e\nf' };
    const run = makeRun(sh('printf "%s|" "$TEXT" "$0"; exit 7'), {
      ...{ environment, stop: { signal: 'SIGTERM', graceMs: 1_001 } },
    });
    host.host.start(run);
    expect(await host.event('run-exited')).toMatchObject({ exitCode: 7 });
    expect(await host.read(run, 'stdout.log')).toBe(`${environment.TEXT}|/bin/sh|`);
    const { options, properties } = asked();
    expect(properties).toMatchObject({
      ...{ WorkingDirectory: host.path(run, '.shim'), StandardInput: 'null' },
      ...{ KillMode: 'control-group', TimeoutStopSec: '2', OOMPolicy: 'continue' },
      Description: `Migration job ${run.job}, run ${run.number}`,
    });
    expect(properties['UnsetEnvironment']?.split(' ')).toEqual(
      expect.arrayContaining(['NOTIFY_SOCKET', 'INVOCATION_ID', 'JOURNAL_STREAM']),
    );
    expect(options).toEqual(
      expect.arrayContaining([
        ...['--collect', '--quiet', '--no-ask-password', '--service-type=exec'],
        `--unit=${unitName(run, host.socketPath)}`,
      ]),
    );
    expect(options.includes('--user')).toBe(process.geteuid?.() !== 0);
    // Everybody can read the properties of a unit: the environment is in a file, which is gone when the job runs.
    expect(options.join('\n')).not.toContain('a "b"');
    expect(existsSync(properties['EnvironmentFile']!)).toBe(false);
  }));

describe('systemd does not start it', () => {
  test.each<[string, string | undefined, string]>([
    [
      'for a reason of its own',
      '#!/bin/sh\necho first >&2; echo Failed to connect to bus >&2; exit 1\n',
      'systemd does not start the job: Failed to connect to bus; agent.backend: unit needs root, or a manager',
    ],
    [
      'without a word',
      '#!/bin/sh\nexit 3\n',
      'systemd does not start the job: systemd-run ended with 3;',
    ],
    ['because there is none', undefined, 'there is no systemd-run on this host'],
  ])('%s: nothing runs, and nothing will', (_why, script, reason) =>
    withHosts(async (newHost, directory) => {
      systemdRun(directory, script);
      const host = newHost(bootId, undefined, 'unit');
      const run = makeRun(sh('true'));
      host.host.start(run);
      const failed = await host.event('run-start-failed');
      expect(failed.reason).toContain(reason);
      expect(host.has(run, '.shim/start-lock.1')).toBe(true);
      expect(host.types()).toEqual(['run-start-failed']);
    }),
  );

  test('a value that it does not pass on is named', () =>
    withHosts(async (newHost, directory) => {
      systemdRun(directory, node(RUNS));
      const host = newHost(bootId, undefined, 'unit');
      host.host.start(makeRun(sh('true'), { environment: { BELL: 'a\u0007', TAB: 'a\tb\n' } }));
      expect((await host.event('run-start-failed')).reason).toContain(
        'the value of BELL has control characters, which systemd does not pass on',
      );
    }));
});

test('an answer that is lost proves nothing: the shim has begun, so the run goes on', () =>
  withHosts(async (newHost, directory) => {
    const started = `
const begun = properties.WorkingDirectory + '/started.1';
const look = () => (fs.existsSync(begun) ? process.exit(1) : setTimeout(look, 5));
look();`;
    systemdRun(directory, node(RUNS + started));
    const host = newHost(bootId, undefined, 'unit');
    const run = makeRun(sh('exit 5'));
    host.host.start(run);
    expect(await host.event('run-exited')).toMatchObject({ exitCode: 5 });
    expect(host.types()).toEqual(['run-started', 'run-exited']);
  }));

test('while the records cannot be read, the run has neither started nor failed', () =>
  withHosts(async (newHost, directory) => {
    const host = newHost(bootId, undefined, 'unit');
    const run = makeRun(sh('exit 0'));
    const records = host.path(run, '.shim');
    // Something else in the place of the directory: what is in it cannot be seen.
    systemdRun(directory, `#!/bin/sh\nrm -rf '${records}'; touch '${records}'; exit 1\n`);
    host.host.start(run);
    await until(
      () => host.host.problems?.().some((text) => text.includes('cannot be looked at')) === true,
      () => JSON.stringify([host.host.problems?.(), host.events]),
    );
    expect(host.types()).toEqual([]);
    rmSync(records);
    await host.event('run-never-started');
    expect(host.types()).toEqual(['run-never-started']);
  }));

test('a job of another user needs an agent that is root', () =>
  withHosts(async (_newHost, directory) => {
    systemdRun(directory, undefined);
    const launch = { cwd: '/', env: {}, user: { name: 'x', uid: 4711, gid: 4711, home: '/' } };
    const logs = { stdout: join(directory, 'stdout.log'), stderr: join(directory, 'stderr.log') };
    mkdirSync(join(directory, '.shim'));
    const start = { run: makeRun(['true']), directory, launch, logs, bootId };
    const isRoot = process.geteuid?.() === 0;
    await expect(startShimUnit(start, join(directory, 'a.sock'))).rejects.toThrow(
      isRoot ? 'there is no systemd-run' : 'runs jobs as other users only if the agent is root',
    );
  }));

test('the name of a unit shows the job, and is another for each run, spawn and agent', () => {
  const run = makeRun(['true'], {}, { job: 'a/b c:ü', number: 7, spawn: 2 });
  const name = unitName(run, '/run/a.sock');
  expect(name).toMatch(/^migration-job-a_b_c__-7\.2-[0-9a-f]{8}\.service$/);
  expect(unitName({ ...run, spawn: 3 }, '/run/a.sock')).not.toBe(name);
  expect(unitName(run, '/run/b.sock')).not.toBe(name);
  const long = makeRun(['true'], {}, { job: 'x'.repeat(300), number: 7, spawn: 2 });
  expect(unitName(long, '/run/a.sock')).toMatch(/^migration-job-x{100}-7\.2-/);
});
