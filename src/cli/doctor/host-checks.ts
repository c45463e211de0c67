/** The checks of `doctor` that look at this host: the state directory, control groups, systemd, the daemon, Redis. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { probeRedis } from '../../aws/budget/fleet-probe.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { hostZone } from '../../config/lib/host-zone.ts';
import type { Status } from '../../core/model/status.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';
import { cgroupOf } from '../../jobs/process/cgroups.ts';
import type { Finding } from '../file-system/finding.ts';
import type { Check } from './report.ts';
import { checkStateDirectoryApart } from '../file-system/apart.ts';
import { systemd } from './systemd-check.ts';
import { span } from '../terminal/durations.ts';

export function hostChecks(configuration: Configuration, daemon: Status | undefined): Check[] {
  const { agent, fleet } = configuration;
  return [
    { name: 'daemon', look: () => Promise.resolve(daemonFinding(daemon)) },
    { name: 'state directory', look: () => checkStateDirectoryApart(agent.stateDirectory) },
    { name: 'control groups', look: () => Promise.resolve(controlGroups(daemon?.agent.pid)) },
    { name: 'systemd', look: () => systemd(agent.backend) },
    { name: 'time zone', look: () => Promise.resolve(timeZone(configuration)) },
    { name: 'journal', look: () => Promise.resolve(journal(daemon?.agent.pid)) },
    ...(fleet?.redis === undefined
      ? []
      : [{ name: 'Redis', look: () => redis(fleet.redis ?? '') }]),
  ];
}

function daemonFinding(daemon: Status | undefined): Finding {
  if (daemon === undefined) return { verdict: 'skipped', message: 'none answers on the socket' };
  const { now, pid, startedAt, problems, version } = daemon.agent;
  const since = span(Date.parse(now) - Date.parse(startedAt));
  const message = `migration-agent ${version} runs as ${pid} since ${since}`;
  return problems.length === 0
    ? { verdict: 'ok', message }
    : { verdict: 'warning', message: `${message}; degraded: ${problems.join('; ')}` };
}

/** The zone of schedules that name none, as this process sees it. */
function timeZone({ settings }: Configuration): Finding {
  const { zone, problem } = hostZone(process.env['TZ']);
  if (zone !== undefined) return { verdict: 'ok', message: zone };
  const isUsed = [...settings.jobs.values()].some(
    ({ schedule }) => schedule !== undefined && schedule.timezone === undefined,
  );
  const message = `${problem ?? 'unknown'}; set timezone for each schedule`;
  return { verdict: isUsed ? 'failed' : 'warning', message };
}

/** Looks only: the daemon itself creates the groups. */
function controlGroups(pid: number | undefined): Finding {
  const without =
    'runs are then found by session, parent process and an environment variable, which a process can escape by a full daemonisation';
  const path = cgroupOf(pid ?? process.pid)?.path;
  if (path === undefined) {
    return { verdict: 'warning', message: `no cgroup v2 here: ${without}` };
  }
  // In a service the daemon has moved into a leaf of its own, beside which the groups of runs are made.
  const base = path.endsWith('/agent') ? path.slice(0, -'/agent'.length) : path;
  try {
    accessSync(join(base, 'cgroup.procs'), constants.W_OK);
    return { verdict: 'ok', message: `each run can have a group of its own below ${base}` };
  } catch {
    return {
      verdict: 'warning',
      message: `${base} is not writable for this user: ${without}`,
      remedy: 'in the unit: Delegate=yes (as systemd/migration-agent.service has it)',
    };
  }
}

/**
 * Read by its group and by root. Needed for one thing alone, so not having it is no fault: how a tracked unit ended that
 * systemd has forgotten. Asked of the running daemon, which may have groups of its own from its unit.
 */
function journal(pid: number | undefined): Finding {
  const directory = ['/var/log/journal', '/run/log/journal'].find((path) => existsSync(path));
  if (directory === undefined) return { verdict: 'skipped', message: 'there is none on this host' };
  const status = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  const ids = (name: string): string[] =>
    new RegExp(`^${name}:\\s*(.*)$`, 'mu').exec(status)?.[1]?.split(/\s+/u) ?? [];
  const group = String(statSync(directory).gid);
  const who = pid === undefined ? 'this user' : 'the daemon';
  return ids('Uid')[1] === '0' || [...ids('Gid'), ...ids('Groups')].includes(group)
    ? { verdict: 'ok', message: `${who} may read it: it records how tracked units ended` }
    : {
        verdict: 'skipped',
        message: `${who} may not read it: a tracked unit that systemd forgets at its end is lost (config/tracking.md)`,
      };
}

async function redis(url: string): Promise<Finding> {
  const shown = maskSecrets(url);
  try {
    const { evictionPolicy, tookMs, version } = await probeRedis(url);
    const message = `${shown} answers in ${tookMs} ms (Redis ${version})`;
    return evictionPolicy === undefined || evictionPolicy === 'noeviction'
      ? { verdict: 'ok', message }
      : {
          verdict: 'warning',
          message: `${message}; maxmemory-policy is ${evictionPolicy}: it may forget budgets`,
          remedy: 'maxmemory-policy noeviction, or a Redis for the budgets alone',
        };
  } catch (error) {
    return {
      verdict: 'failed',
      message: `${shown}: ${error instanceof Error ? error.message : String(error)}`,
      remedy:
        'until it answers, each host uses its share only (fleet.share); check fleet.redis, the firewall, the password',
    };
  }
}
