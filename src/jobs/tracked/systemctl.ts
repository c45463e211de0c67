/**
 * Asks systemd how units stand, many at once, by `systemctl show`. Read only. What the answer means for a run is
 * told in unit-state.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorCode, errorText } from '../lib/error-code.ts';

/** Of systemd.unit(5) and org.freedesktop.systemd1(5). A unit that lacks one answers without it. */
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

/** A command line has room for far more; so many are answered in some 20 ms. */
const UNITS_PER_CALL = 500;
/** systemd answers from memory; one that does not is in trouble, and asked again later. */
const ANSWER_MS_MAX = 10_000;

/** systemd.unit(5), "string escaping", without the characters of a pattern, which `show` would fill in. */
const UNIT_NAME =
  /^[A-Za-z0-9:_.@\\-]{1,245}\.(service|scope|socket|target|mount|swap|slice|timer|path|device|automount)$/;

/** The whole name of a unit (`backup` is `backup.service`, as for systemctl); undefined: no name of one. */
export function unitName(name: string): string | undefined {
  const whole = UNIT_NAME.test(name) ? name : `${name}.service`;
  return UNIT_NAME.test(whole) ? whole : undefined;
}

/** In the order of `units`. Throws, in words for an operator, where systemd cannot be asked. */
export async function showUnits(units: readonly string[]): Promise<UnitProperties[]> {
  const shown: UnitProperties[] = [];
  for (let at = 0; at < units.length; at += UNITS_PER_CALL) {
    const asked = units.slice(at, at + UNITS_PER_CALL);
    const answered = parseBlocks(await show(asked));
    if (answered.length !== asked.length) {
      throw new Error(
        `systemctl told of ${answered.length} units where ${asked.length} were asked`,
      );
    }
    shown.push(...answered);
  }
  return shown;
}

async function show(units: readonly string[]): Promise<string> {
  const message = ['show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', ...units];
  const options = {
    timeout: ANSWER_MS_MAX,
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  };
  try {
    return (await promisify(execFile)('systemctl', message, options)).stdout;
  } catch (error) {
    throw new Error(refusal(error), { cause: error });
  }
}

function refusal(error: unknown): string {
  if (errorCode(error) === 'ENOENT') return 'there is no systemctl on this host';
  const { stderr, killed } = error as { stderr?: string; killed?: boolean };
  if (killed === true) return `systemctl gave no answer in ${ANSWER_MS_MAX / 1000} s`;
  const said = stderr?.trim().split('\n')[0] ?? '';
  return `systemctl cannot ask systemd: ${said === '' ? errorText(error) : said}`;
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
