/**
 * Resolves what a request to track means at this moment: which process has the pid, which invocation of the unit is
 * running. Later the same pid or unit may mean another one.
 */
import type { ReaderIdentity, TrackedSource } from '../../core/model/job.ts';
import { defined } from '../../core/lib/defined.ts';
import { errorText } from '../lib/error-code.ts';
import { maySeeProcess } from './reader-rights.ts';
import { isAlive, readProcess } from '../process/process-table.ts';
import { showUnits, unitName } from './systemctl.ts';
import type { UnitProperties } from './systemctl.ts';

/** At most one of the three is given. */
interface SourceRequest {
  readonly pid?: number | undefined;
  readonly unit?: string | undefined;
  readonly statusFile?: string | undefined;
}

/**
 * The source of each request, or an error message (`pid: there is no process 4711 …`). Never rejects. `reader`: whose
 * rights must allow it; absent: the agent's own.
 */
export async function findSources(
  requests: readonly SourceRequest[],
  bootId: string,
  reader?: ReaderIdentity,
): Promise<(TrackedSource | string)[]> {
  const units = await showAll(requests.flatMap(({ unit }) => unit ?? []));
  return requests.map(({ pid, unit, statusFile }) => {
    if (pid !== undefined) return processSource(pid, bootId, reader);
    if (unit !== undefined) return unitSource(unit, units);
    if (statusFile !== undefined)
      return { by: 'status-file', path: statusFile, ...defined({ reader }) };
    return { by: 'report' };
  });
}

function processSource(
  pid: number,
  bootId: string,
  reader: ReaderIdentity | undefined,
): TrackedSource | string {
  let entry: ReturnType<typeof readProcess>;
  try {
    entry = reader === undefined || maySeeProcess(reader, pid) ? readProcess(pid) : undefined;
  } catch (error) {
    return `pid: process ${pid} cannot be seen now: ${errorText(error)}`;
  }
  if (entry === undefined) {
    return `pid: there is no process ${pid}, or you or the agent may not see it (hidepid, ProtectProc)`;
  }
  if (!isAlive(entry)) return `pid: process ${pid} has ended already`;
  return { by: 'pid', process: { pid, bootId, startTicks: entry.startTicks } };
}

type Units = ReadonlyMap<string, UnitProperties> | string;

/** One `systemctl` for all units. A text is the error if systemd cannot be asked. */
async function showAll(names: readonly string[]): Promise<Units> {
  const units = [...new Set(names.flatMap((name) => unitName(name) ?? []))];
  if (units.length === 0) return new Map();
  try {
    const shown = await showUnits(units);
    return new Map(units.map((unit, index) => [unit, shown[index] ?? {}]));
  } catch (error) {
    return errorText(error);
  }
}

function unitSource(name: string, units: Units): TrackedSource | string {
  const unit = unitName(name);
  if (unit === undefined) return `unit: "${name}" is not the name of a systemd unit`;
  if (typeof units === 'string') return `unit: ${units}`;
  const { LoadState, ActiveState, InvocationID = '' } = units.get(unit) ?? {};
  if (LoadState === 'not-found' && ActiveState === 'inactive')
    return `unit: systemd knows no unit ${unit}`;
  if (LoadState === 'masked') return `unit: ${unit} is masked and cannot run`;
  const hasEnded = ActiveState === 'inactive' || ActiveState === 'failed';
  if (InvocationID === '') return { by: 'unit', unit };
  return hasEnded
    ? { by: 'unit', unit, before: InvocationID }
    : { by: 'unit', unit, invocation: InvocationID };
}
