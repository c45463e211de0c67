/**
 * The other back end: the shim of a run is a transient service of systemd. The job has a control group that systemd
 * looks after, is outside the sandbox of the agent, and ends with its unit. What is to be known of its end is not asked
 * of systemd, though: a unit that ended well is gone at once, and one that is gone looks like success (systemctl show
 * says Result=success, ExecMainStatus=0). The exit record of the shim (shim-script.ts) tells it, here as everywhere.
 *
 * - `$` in the words of a service is for systemd, so it is doubled; `%` is not looked at in transient units.
 * - The environment goes through a file that only systemd reads: what stands in the unit's properties, everybody can read
 *   over D-Bus. What systemd adds of its own is taken out again.
 * - The user is changed in the unit (setpriv), after its directory was entered, which the user may not be able to.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Run } from '../../core/model/job.ts';
import { SETPRIV } from '../../core/lib/privileges.ts';
import { identifyShim } from './adoption.ts';
import { cgroupOf } from '../process/cgroups.ts';
import { errorText } from '../lib/error-code.ts';
import { PATH_DEFAULT, runMark } from '../process/environment.ts';
import { StartRefused } from './launch.ts';
import type { Shim, ShimStart } from './launch.ts';
import { readStarted, takeStartLock, writeCgroup } from '../files/run-directory.ts';
import { SHIM } from './shim-script.ts';

/** systemd answers within milliseconds, on a loaded host within seconds; D-Bus itself gives up after 25 s. */
const ANSWER_MS_MAX = 60_000;

/** systemd has started it: the shim says so at once, unless the host is at its limits. */
const STARTED_MS_MAX = 20_000;
const LOOK_EVERY_MS = 10;

/** All groups of the user and no privilege, as the other back end has it (shim-process.ts). */
const DROP = ['--init-groups', '--inh-caps=-all', '--ambient-caps=-all', '--'];

/** Variables that systemd gives to every service (systemd.exec(5)). */
const OF_SYSTEMD = [
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'LOGNAME',
  'MANAGERPID',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
  'NOTIFY_SOCKET',
  'SHELL',
  'SYSTEMD_EXEC_PID',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
];

/** Names the unit of a run: the same for every agent of this state directory, another for every other agent. */
export function unitName(run: Run, socketPath: string): string {
  const message = run.job.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100);
  const owner = createHash('sha256').update(socketPath).digest('hex').slice(0, 8);
  return `migration-job-${message}-${run.number}.${run.spawn}-${owner}.service`;
}

/** Throws `StartRefused` where nothing was started. */
export async function startShimUnit(start: ShimStart, socketPath: string): Promise<Shim> {
  const { run, directory, bootId } = start;
  const unit = unitName(run, socketPath);
  const environment = join(directory, `environment.${run.spawn}`);
  await writeFile(environment, environmentFile(start), { flag: 'wx', mode: 0o600 });
  try {
    await askSystemd(start, unit, environment);
  } catch (error) {
    // An answer that did not come says nothing. Only who takes the start lock knows that the shim never begins.
    if (await takeStartLock(directory, run.spawn)) throw refusal(error);
  }
  const started = await awaitStarted(start);
  await rm(environment, { force: true });
  const shim = identifyShim(started, runMark(run, socketPath), bootId);
  if (shim === undefined) throw new StartRefused('the shim of the run is not who it says it is');
  const cgroup = cgroupOf(shim.pid);
  if (cgroup?.name === unit) await writeCgroup(directory, run.spawn, bootId, cgroup);
  return { process: shim };
}

async function askSystemd(start: ShimStart, unit: string, environment: string): Promise<void> {
  const { run, directory, launch, logs } = start;
  const isRoot = process.geteuid?.() === 0;
  const properties = {
    Description: `Migration job ${run.job}, run ${run.number}`,
    WorkingDirectory: directory,
    EnvironmentFile: environment,
    UnsetEnvironment: OF_SYSTEMD.filter((name) => !(name in launch.env)).join(' '),
    StandardInput: 'null',
    StandardOutput: `append:${logs.stdout}`,
    StandardError: `append:${logs.stderr}`,
    // What a job leaves behind ends with it, as in every service; `systemctl stop` means the whole tree.
    KillMode: 'control-group',
    TimeoutStopSec: String(Math.ceil(run.definition.stop.graceMs / 1000)),
    // A job that the kernel killed for memory has failed; its shim must live to say so.
    OOMPolicy: 'continue',
  };
  const message = [
    ...(isRoot ? [] : ['--user']),
    '--quiet',
    '--no-ask-password',
    // Nothing is asked of the unit afterwards, so it need not be kept, however it ended.
    '--collect',
    '--service-type=exec',
    '--slice=migration-jobs.slice',
    `--unit=${unit}`,
    ...Object.entries(properties).map(([name, value]) => `--property=${name}=${value}`),
    '--',
    ...commandOf(start).map((word) => word.replaceAll('$', '$$$$')),
  ];
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.geteuid?.() ?? 0}`;
  await promisify(execFile)('systemd-run', message, {
    timeout: ANSWER_MS_MAX,
    env: { ...process.env, XDG_RUNTIME_DIR: runtime, LC_ALL: 'C' },
  });
}

function commandOf({ run, launch }: ShimStart): string[] {
  const { uid, gid, cwd, env } = launch;
  const asUser =
    uid === undefined || gid === undefined
      ? []
      : [SETPRIV, `--reuid=${uid}`, `--regid=${gid}`, ...DROP];
  const jobPath = env['PATH'] ?? PATH_DEFAULT;
  const message = [String(run.spawn), cwd, jobPath, ...run.definition.command];
  return [...asUser, '/bin/sh', '-c', SHIM, 'migration-agent', ...message];
}

/** As systemd.exec(5), EnvironmentFile=, wants it: in double quotes, in which a value may have several lines. */
function environmentFile({ launch }: ShimStart): string {
  const path = `${process.env['PATH'] ?? ''}:${PATH_DEFAULT}`.replace(/^:/, '');
  return Object.entries({ ...launch.env, PATH: path })
    .map(([name, value]) => {
      if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) {
        throw new StartRefused(
          `the value of ${name} has control characters, which systemd does not pass on: use agent.backend: process`,
        );
      }
      return `${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`;
    })
    .join('');
}

async function awaitStarted({ run, directory }: ShimStart): ReturnType<typeof readStarted> {
  const endMs = performance.now() + STARTED_MS_MAX;
  for (;;) {
    const started = await readStarted(directory, run.spawn);
    if (started !== undefined) return started;
    if (performance.now() > endMs) {
      // With our start lock it never will; with its own it died before it ran anything.
      await takeStartLock(directory, run.spawn);
      throw new StartRefused('systemd started the unit, but its shim never said that it runs');
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function refusal(error: unknown): StartRefused {
  const { stderr, code } = error as { stderr?: string; code?: unknown };
  const message = stderr?.trim().split('\n').at(-1) ?? '';
  const reason = message === '' ? errorText(error) : message;
  if (code === 'ENOENT') return new StartRefused('there is no systemd-run on this host');
  return new StartRefused(
    `systemd does not start the job: ${reason}; agent.backend: unit needs root, or a manager of the agent's own user (loginctl enable-linger)`,
    { cause: error },
  );
}
