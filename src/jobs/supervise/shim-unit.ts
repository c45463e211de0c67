/**
 * The other back end: the shim of a run is a transient service of systemd. The job has a control group that systemd manages, is
 * outside the sandbox of the agent, and ends with its unit. systemd is not asked how the job ended: a unit that ended well is
 * gone at once, and one that is gone looks like success (systemctl shows Result=success, ExecMainStatus=0). The exit
 * record of the shim (shim-script.ts) shows it, as in the other back end.
 *
 * - systemd expands `$` in the arguments of a service, so it is doubled. It does not expand `%` in transient units.
 * - The environment goes through a file that only systemd reads: over D-Bus everybody can read the properties of a unit.
 * - The user is changed in the unit (enter-job.ts), after the start of the shim, whose directory that user may not enter.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Run } from '../../core/model/job.ts';
import {
  readStarted,
  recordDirectory,
  takeStartLock,
  writeCgroup,
} from '../files/run-directory.ts';
import type { StartedRecord } from '../files/run-directory.ts';
import { errorText } from '../lib/error-code.ts';
import { OWN_MODE } from '../lib/own-file.ts';
import { cgroupOf } from '../process/cgroups.ts';
import { enterJobFromShell, SCRIPT_NAME } from '../process/enter-job.ts';
import type { ShellEntry } from '../process/enter-job.ts';
import { runMark } from '../process/environment.ts';
import { identifyShim } from './adoption.ts';
import { StartRefused, StartUnknown } from './launch.ts';
import type { Shim, ShimStart } from './launch.ts';
import { shim as shimScript } from './shim-script.ts';

/** systemd answers within milliseconds, on a loaded host within seconds; D-Bus itself gives up after 25 s. */
const ANSWER_MS_MAX = 60_000;

/** systemd has started it: the shim writes its record at once, unless the host is at its limits. */
const STARTED_MS_MAX = 20_000;
const LOOK_EVERY_MS = 10;

/** Variables that systemd gives to every service (systemd.exec(5)). */
const OF_SYSTEMD = [
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'HOME',
  'LOGNAME',
  'MANAGERPID',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
  'NOTIFY_SOCKET',
  'SHELL',
  'SYSTEMD_EXEC_PID',
  'USER',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
];

/** Names the unit of a run: the same for every agent of this state directory, another for every other agent. */
export function unitName(run: Run, socketPath: string): string {
  const readable = run.job.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100);
  const owner = createHash('sha256').update(socketPath).digest('hex').slice(0, 8);
  return `migration-job-${readable}-${run.number}.${run.spawn}-${owner}.service`;
}

/** Throws `StartRefused` if nothing was started, and `StartUnknown`. */
export async function startShimUnit(start: ShimStart, socketPath: string): Promise<Shim> {
  const { run, directory, launch } = start;
  if (launch.user !== undefined && process.geteuid?.() !== 0) {
    throw new StartRefused(
      'agent.backend: unit runs jobs as other users only if the agent is root; agent.backend: process needs capabilities',
    );
  }
  const unit = unitName(run, socketPath);
  const environment = join(directory, `environment.${run.spawn}`);
  const entry = enterJobFromShell(launch, run.definition.command);
  writeFileSync(environment, environmentFile(entry.env), { flag: 'wx', mode: OWN_MODE });
  try {
    try {
      await askSystemd(start, unit, environment, entry);
    } catch (error) {
      // A missing answer proves nothing. Only an agent that holds the start lock knows that the shim never begins.
      if (takeStartLock(directory, run.spawn)) throw refusal(error);
    }
    const started = await awaitStarted(start);
    rmSync(environment, { force: true });
    return identified(start, started, unit, socketPath);
  } catch (error) {
    if (error instanceof StartRefused) throw error;
    // No descriptors, a full disk: the job may run all the same.
    throw new StartUnknown(errorText(error), { cause: error });
  }
}

function identified(
  { run, directory, bootId }: ShimStart,
  started: StartedRecord,
  unit: string,
  socketPath: string,
): Shim {
  const shim = identifyShim(started, runMark(run, socketPath), bootId);
  if (shim === undefined) throw new StartUnknown('the started record names another process');
  const cgroup = cgroupOf(shim.pid);
  if (cgroup?.name === unit) writeCgroup(directory, run.spawn, bootId, cgroup);
  return { process: shim };
}

async function askSystemd(
  { run, directory, logs }: ShimStart,
  unit: string,
  environment: string,
  { become, args }: ShellEntry,
): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  const properties = {
    Description: `Migration job ${run.job}, run ${run.number}`,
    WorkingDirectory: recordDirectory(directory),
    EnvironmentFile: literal(environment),
    UnsetEnvironment: OF_SYSTEMD.join(' '),
    StandardInput: 'null',
    StandardOutput: `append:${logs.stdout}`,
    StandardError: `append:${logs.stderr}`,
    // What a job leaves behind ends with it, as in every service; `systemctl stop` means the whole tree.
    KillMode: 'control-group',
    TimeoutStopSec: String(Math.ceil(run.definition.stop.graceMs / 1000)),
    // A job that the kernel killed for memory has failed; its shim must live to record it.
    OOMPolicy: 'continue',
  };
  const command = ['/bin/sh', '-c', shimScript(become), SCRIPT_NAME, String(run.spawn), ...args];
  const options = [
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
    ...command.map((argument) => argument.replaceAll('$', '$$$$')),
  ];
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.geteuid?.() ?? 0}`;
  await promisify(execFile)('systemd-run', options, {
    timeout: ANSWER_MS_MAX,
    env: { ...process.env, XDG_RUNTIME_DIR: runtime, LC_ALL: 'C' },
  });
}

/** As systemd.exec(5), EnvironmentFile=, wants it: in double quotes, in which a value may have several lines. */
function environmentFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => {
      if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) {
        // A carried variable names itself.
        const named = /^MIGRATION_ENV_\d+$/.test(name) ? value.slice(0, value.indexOf('=')) : name;
        throw new StartRefused(
          `the value of ${named} has control characters, which systemd does not pass on: use agent.backend: process`,
        );
      }
      return `${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`;
    })
    .join('');
}

/** systemd takes the path of an environment file for a pattern (glob(7)). */
function literal(path: string): string {
  return path.replace(/[\\*?[]/g, '\\$&');
}

async function awaitStarted({ run, directory }: ShimStart): Promise<StartedRecord> {
  const endMs = performance.now() + STARTED_MS_MAX;
  for (;;) {
    const started = readStarted(directory, run.spawn);
    if (started !== undefined) return started;
    if (performance.now() > endMs) {
      // If the agent gets the start lock, the shim never begins.
      if (takeStartLock(directory, run.spawn)) {
        throw new StartRefused('systemd started the unit, but its shim did not begin in time');
      }
      throw new StartUnknown('the shim has begun and has not recorded that it started');
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function refusal(error: unknown): StartRefused {
  const { stderr, code } = error as { stderr?: string; code?: unknown };
  const message = stderr?.trim().split('\n').at(-1) ?? '';
  // Without a message of its own, the error would only quote the whole command line.
  const reason = message === '' ? `systemd-run ended with ${String(code)}` : message;
  if (code === 'ENOENT') return new StartRefused('there is no systemd-run on this host');
  return new StartRefused(
    `systemd does not start the job: ${reason}; agent.backend: unit needs root, or a manager of the agent's own user (loginctl enable-linger)`,
    { cause: error },
  );
}
