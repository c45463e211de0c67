/**
 * Tells systemd how the service stands, sd_notify(3): ready, reloading, stopping, one line of status, and that
 * the loop turns. By koffi where it loads, else by `systemd-notify`, else not at all: outside systemd there is
 * nobody to tell.
 *
 * koffi sends from this very process, which `NotifyAccess=main` asks for. `systemd-notify` may forge the
 * sender only as root: as another user the unit would need `NotifyAccess=all`.
 */
import type { ServiceNotifier } from '../ports.ts';
import { createNotifyCommand } from './notify-command.ts';
import { createNotifySocket } from './notify-socket.ts';
import type { SendState } from './send-state.ts';

/** Longer than any terminal is wide; systemd itself takes far more. */
const STATUS_LENGTH_MAX = 512;

export async function createServiceNotifier(
  environment: NodeJS.ProcessEnv,
): Promise<ServiceNotifier> {
  const send = await chooseWay(environment);
  const watchdogMs = readWatchdogMs(environment);
  return {
    ready: () => send(['READY=1']),
    // One datagram: systemd takes the time stamp only together with RELOADING=1.
    reloading: () => send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    // systemd gives up at TimeoutStopSec, or when the time asked for here is over (sd_notify(3)).
    stopping: (neededMs) =>
      send(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${Math.round(neededMs * 1000)}`]),
    // A line break would begin another assignment: a job's text must not say READY=1.
    status: (line) => {
      const oneLine = line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, STATUS_LENGTH_MAX);
      send([`STATUS=${oneLine}`]);
    },
    alive: () => send(['WATCHDOG=1']),
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
  };
}

async function chooseWay(environment: NodeJS.ProcessEnv): Promise<SendState> {
  const address = environment['NOTIFY_SOCKET'];
  // `vsock:` is for virtual machines as a whole, not for a service inside one.
  if (address === undefined || !/^[/@]./.test(address)) return () => undefined;
  return (await createNotifySocket(address)) ?? createNotifyCommand(environment);
}

/** Half of what systemd waits, as sd_watchdog_enabled(3) recommends; only if meant for this process. */
function readWatchdogMs(environment: NodeJS.ProcessEnv): number | undefined {
  const usec = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!(usec > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return usec / 1000 / 2;
}
