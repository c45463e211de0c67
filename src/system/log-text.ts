/** A log line for people: the message, then the event's name and its fields, on one line if possible. */

import { withoutControls } from '../core/lib/control-characters.ts';

/** Fields that the prettifier shows itself. */
const SHOWN_BEFORE: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'event']);

/** `faint` styles the less important parts. */
export function logText(
  line: Readonly<Record<string, unknown>>,
  faint: (text: string) => string,
): string {
  const fields = Object.entries(line).filter(([name]) => !SHOWN_BEFORE.has(name));
  const long = fields.flatMap(([, value]) => longLines(value));
  const short = fields.flatMap(([name, value]) =>
    longLines(value).length > 0 ? [] : [`${name}=${shortText(value)}`],
  );
  // A field may quote anybody: no control character of it reaches the terminal.
  const rest = faint(withoutControls([String(line['event']), ...short].join(' ')));
  return [
    `${withoutControls(String(line['msg']))}  ${rest}`,
    ...long.map((text) => `    ${withoutControls(text)}`),
  ].join('\n');
}

/** An error's stack, the problems of a configuration: a line each, below. */
function longLines(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')) {
    return value;
  }
  const stack: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'stack') : undefined;
  return typeof stack === 'string' ? stack.split('\n') : [];
}

function shortText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}
