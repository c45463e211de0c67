/**
 * Reports the state of the service to systemd, sd_notify(3): ready, reloading, stopping, a line of status, and watchdog
 * pings. Uses koffi if it loads, else `systemd-notify`; does nothing outside systemd.
 *
 * koffi sends from this process, as `NotifyAccess=main` requires. `systemd-notify` can set the sender only as root: for
 * another user the unit would need `NotifyAccess=all`.
 */
import { defined } from '../core/lib/defined.ts';
import type { ServiceNotifier } from '../ports.ts';
import { createNotifyCommand } from './notify-command.ts';
import { createNotifySocket } from './notify-socket.ts';
import type { SendState } from './send-state.ts';

/** Longer than any terminal is wide; systemd itself takes far more. */
const STATUS_LENGTH_MAX = 512;

export async function createServiceNotifier(
  environment: NodeJS.ProcessEnv,
): Promise<ServiceNotifier> {
  const send = await chooseSender(environment);
  const watchdogMs = readWatchdogMs(environment);
  return defined({
    ready: () => send(['READY=1']),
    // One datagram: systemd accepts the time stamp only together with RELOADING=1.
    reloading: () => send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    // systemd kills the service after TimeoutStopSec, or after the time that is requested here (sd_notify(3)).
    stopping: (neededMs: number) =>
      send(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${Math.round(neededMs * 1000)}`]),
    // A line break would start another assignment: a job's text must not be able to send READY=1.
    status: (line: string) => {
      const oneLine = line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, STATUS_LENGTH_MAX);
      send([`STATUS=${oneLine}`]);
    },
    alive: () => send(['WATCHDOG=1']),
    watchdogMs,
  });
}

async function chooseSender(environment: NodeJS.ProcessEnv): Promise<SendState> {
  const address = environment['NOTIFY_SOCKET'];
  // `vsock:` is for whole virtual machines, not for a service inside one.
  if (address === undefined || !/^[/@]./.test(address)) return () => undefined;
  return (await createNotifySocket(address)) ?? createNotifyCommand(environment);
}

/** Half of systemd's limit, as sd_watchdog_enabled(3) recommends; only if it is meant for this process. */
function readWatchdogMs(environment: NodeJS.ProcessEnv): number | undefined {
  const usec = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!(usec > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return usec / 1000 / 2;
}
