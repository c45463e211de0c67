/** The check of `doctor` that looks at systemd: the unit's settings, and what an old systemd lacks. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Finding } from '../file-system/finding.ts';

const execute = promisify(execFile);
const LIMIT_MS = 5_000;

/** The oldest version that the units are written for (RHEL 8). */
const OLDEST = 239;
/** Its drop-ins have the effect of directives that are unknown below these versions (systemd/migration-agent-generator). */
const STOP_SINCE = 249;
const CREDENTIALS_SINCE = 252;
/** `systemd-run` needs Type=exec (240), StandardOutput=append: (240) and OOMPolicy= (243). */
const UNIT_BACKEND_SINCE = 243;

/** Directives of the unit without a replacement: an older systemd ignores them. */
const LOST_BELOW: readonly (readonly [number, string])[] = [
  [242, 'ProtectHostname'],
  [244, 'ProtectKernelLogs'],
  [245, 'ProtectClock'],
];

export interface SystemdFacts {
  readonly version: number;
  /** `systemctl show` of the service. */
  readonly service: ReadonlyMap<string, string>;
  /** `systemctl show` of the socket. */
  readonly socket: ReadonlyMap<string, string>;
  readonly backend: string;
}

export async function systemd(backend: string): Promise<Finding> {
  if (!existsSync('/run/systemd/system')) {
    return {
      verdict: 'skipped',
      message:
        'this host was not booted with systemd: units cannot be tracked, and nothing restarts the agent',
    };
  }
  try {
    const show = async (unit: string, properties: string): Promise<ReadonlyMap<string, string>> =>
      read(await output('show', unit, '--property', properties));
    const [version, service, socket] = await Promise.all([
      output('--version'),
      show(
        'migration-agent.service',
        'ActiveState,UnitFileState,Delegate,KillMode,PropagatesStopTo,Environment',
      ),
      show('migration-agent.socket', 'PartOf'),
    ]);
    const number = Number(/^systemd (\d+)/u.exec(version)?.[1]);
    return systemdFinding({ version: number, service, socket, backend });
  } catch (error) {
    return {
      verdict: 'failed',
      message: `systemctl does not answer: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'see journalctl -p err; the manager may be overloaded, or not be yours to ask',
    };
  }
}

export function systemdFinding({ version, service, socket, backend }: SystemdFacts): Finding {
  const value = (name: string): string => service.get(name) ?? '';
  const isInstalled = value('UnitFileState') !== '';
  const state = `systemd ${version}; migration-agent.service is ${value('ActiveState')}, ${isInstalled ? value('UnitFileState') : 'not installed'}`;
  if (!isInstalled) return { verdict: 'ok', message: state };
  if (version < OLDEST) {
    return {
      verdict: 'failed',
      message: `${state}; the unit is written for systemd ${OLDEST} and newer`,
      remedy: `a distribution with systemd ${OLDEST} or newer`,
    };
  }
  // With `unit` the agent has no jobs below it.
  if (backend !== 'unit' && !keepsJobs(service)) {
    return {
      verdict: 'failed',
      message: `${state}; Delegate=${value('Delegate')}, KillMode=${value('KillMode')}`,
      remedy: 'Delegate=yes and KillMode=process, or a restart of the agent ends its jobs',
    };
  }
  if (backend === 'unit' && version < UNIT_BACKEND_SINCE) {
    return {
      verdict: 'failed',
      message: `${state}; agent.backend: unit needs systemd ${UNIT_BACKEND_SINCE}`,
      remedy: 'agent.backend: process',
    };
  }
  const generator =
    'systemctl daemon-reload, or see whether migration-agent-generator is installed';
  if (!stopsSocket(service, socket)) {
    return {
      verdict: 'warning',
      message: `${state}; after \`systemctl stop\` the next command starts the agent again`,
      remedy:
        version < STOP_SINCE ? generator : 'PropagatesStopTo=migration-agent.socket in the unit',
    };
  }
  if (version < CREDENTIALS_SINCE && !value('Environment').includes('CREDENTIALS_DIRECTORY=')) {
    return {
      verdict: 'warning',
      message: `${state}; keys in /etc/credstore/aws-credentials are not loaded`,
      remedy: generator,
    };
  }
  const lost = losses(version);
  return { verdict: 'ok', message: lost === '' ? state : `${state}; ${lost}` };
}

function keepsJobs(service: ReadonlyMap<string, string>): boolean {
  return service.get('Delegate') === 'yes' && service.get('KillMode') === 'process';
}

function stopsSocket(
  service: ReadonlyMap<string, string>,
  socket: ReadonlyMap<string, string>,
): boolean {
  return (
    (service.get('PropagatesStopTo') ?? '').includes('migration-agent.socket') ||
    (socket.get('PartOf') ?? '').includes('migration-agent.service')
  );
}

/** For people; empty: nothing is lost. */
function losses(version: number): string {
  const directives = LOST_BELOW.filter(([since]) => version < since).map(([, name]) => name);
  return [
    ...(version < STOP_SINCE
      ? [`below ${STOP_SINCE} commands that wait during a restart may be turned away`]
      : []),
    ...(directives.length > 0 ? [`unknown here, so without effect: ${directives.join(', ')}`] : []),
  ].join('; ');
}

async function output(...command: readonly string[]): Promise<string> {
  return (await execute('systemctl', command, { timeout: LIMIT_MS })).stdout;
}

function read(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^(\w+)=(.*)$/gmu)].map(([, name = '', value = '']) => [name, value]),
  );
}
