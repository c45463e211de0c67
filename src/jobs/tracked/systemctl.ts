/**
 * Asks systemd for the properties of many units at once, with `systemctl show`. What they mean for a run is decided in
 * unit-state.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorCode, errorText } from '../lib/error-code.ts';

/** From systemd.unit(5) and org.freedesktop.systemd1(5). systemd leaves out what a unit does not have. */
const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'InvocationID',
  'StatusText',
  'InactiveExitTimestampMonotonic',
  'ExecMainStartTimestampMonotonic',
  'ExecMainCode',
  'ExecMainStatus',
] as const;

export type UnitProperties = Readonly<Partial<Record<(typeof PROPERTIES)[number], string>>>;

/** A command line has room for far more. systemd answers for this many in about 20 ms. */
const UNITS_PER_CALL = 500;
/** systemd answers from memory. If it takes longer, it is asked again in a later round. */
const ANSWER_MS_MAX = 10_000;

/** systemd.unit(5), "string escaping", without the characters of a pattern, which `show` would expand. */
const UNIT_NAME =
  /^[A-Za-z0-9:_.@\\-]{1,245}\.(service|scope|socket|target|mount|swap|slice|timer|path|device|automount)$/;

/** The whole name of a unit (`backup` is `backup.service`, as for systemctl); undefined: not a unit name. */
export function unitName(name: string): string | undefined {
  const whole = UNIT_NAME.test(name) ? name : `${name}.service`;
  return UNIT_NAME.test(whole) ? whole : undefined;
}

/** In the order of `units`. Throws an error for operators if systemd cannot be asked. */
export async function showUnits(units: readonly string[]): Promise<UnitProperties[]> {
  const shown: UnitProperties[] = [];
  for (let at = 0; at < units.length; at += UNITS_PER_CALL) {
    const asked = units.slice(at, at + UNITS_PER_CALL);
    const answered = parseBlocks(await show(asked));
    if (answered.length !== asked.length) {
      throw new Error(`systemctl answered for ${answered.length} of ${asked.length} units`);
    }
    shown.push(...answered);
  }
  return shown;
}

async function show(units: readonly string[]): Promise<string> {
  const options = ['show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', ...units];
  const limits = {
    timeout: ANSWER_MS_MAX,
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  };
  try {
    return (await promisify(execFile)('systemctl', options, limits)).stdout;
  } catch (error) {
    throw new Error(failureText(error), { cause: error });
  }
}

function failureText(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'there is no systemctl on this host';
  const { stderr, killed } = error as { stderr?: string; killed?: boolean };
  if (killed === true) return `systemctl did not answer within ${ANSWER_MS_MAX / 1000} s`;
  const message = stderr?.trim().split('\n')[0] ?? '';
  return `systemctl cannot ask systemd: ${message === '' ? errorText(error) : message}`;
}

/** `Name=value` lines, a blank line between two units. */
function parseBlocks(text: string): UnitProperties[] {
  return text
    .split(/\n\n+/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const lines = block.split('\n').filter((line) => line.includes('='));
      return Object.fromEntries(
        lines.map((line) => {
          const equals = line.indexOf('=');
          return [line.slice(0, equals), line.slice(equals + 1)];
        }),
      );
    });
}
