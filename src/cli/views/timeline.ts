/**
 * A timeline as lines: when, and what happened. An event without a sentence of its own (event-sentences.ts) is
 * shown by its name, and its fields by their names and units, so that an event of a newer version is shown too.
 */
import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import { eventSentence } from '../../control/page/event-sentences.ts';
import { plain, wrap } from '../terminal/printable.ts';
import { moment, span } from '../terminal/durations.ts';
import type { View } from './view.ts';
import { painter } from '../terminal/terminal.ts';
import type { Style } from '../terminal/terminal.ts';

/** Lines, oldest first. */
export function renderTimeline(entries: readonly TimelineEntryDocument[], view: View): string[] {
  const paint = painter(view.color);
  const rows = entries.map((entry) => ({
    time: moment(entry.at, view.now),
    run: entry.run === undefined ? '' : `#${plain(entry.run.split('/').at(-1) ?? '')}`,
    message: plain(eventSentence(entry.event, entry.fields) ?? nameAndFields(entry)),
    style: styleOf(entry.event),
  }));
  const timeWidth = Math.max(0, ...rows.map(({ time }) => time.length));
  const runWidth = Math.max(0, ...rows.map(({ run }) => run.length));
  return rows.flatMap(({ time, run, message, style }) => {
    const start = `${time.padEnd(timeWidth)}  ${runWidth === 0 ? '' : `${run.padEnd(runWidth)}  `}`;
    const painted = (line: string): string => (style === undefined ? line : paint(style, line));
    const [first = '', ...more] = wrap(message, Math.max(20, view.width - start.length));
    return [
      `${paint('dim', start)}${painted(first)}`,
      ...more.map((line) => ' '.repeat(start.length) + painted(line)),
    ];
  });
}

function nameAndFields({ event, fields }: TimelineEntryDocument): string {
  const name = plain(event).replaceAll(/[._]/g, ' ');
  const rest = describeFields(fields);
  return rest === '' ? name : `${name}: ${rest}`;
}

/** `exit code 23, retry 2s, signal SIGTERM`; a sentence of the agent (`message`) is shown as it is. */
export function describeFields(fields: Readonly<Record<string, unknown>>): string {
  const { state, message } = fields;
  const isInMessage =
    typeof message === 'string' && typeof state === 'string' && message.startsWith(state);
  return Object.entries(isInMessage ? { ...fields, state: undefined } : fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => describeField(name, value))
    .join(', ');
}

const UNIT_MS: Readonly<Record<string, number>> = { Ms: 1, S: 1000, Seconds: 1000 };

function describeField(name: string, value: unknown): string {
  const measured = /^(?<what>.+?)(?<unit>Ms|S|Seconds)$/.exec(name)?.groups;
  if (typeof value === 'number' && measured !== undefined) {
    const ms = value * (UNIT_MS[measured['unit'] ?? ''] ?? 1);
    return `${spaced(measured['what'] ?? '')} ${Math.abs(ms) < 1000 ? `${ms}ms` : `${ms < 0 ? '-' : ''}${span(ms)}`}`;
  }
  if (value === true) return spaced(name);
  if (name === 'message' && typeof value === 'string') return plain(value);
  return `${spaced(name)} ${plain(typeof value === 'string' ? value : JSON.stringify(value))}`;
}

/** `exitCode` is `exit code`. */
function spaced(name: string): string {
  return plain(name)
    .replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll(/[._]/g, ' ');
}

function styleOf(event: string): Style | undefined {
  if (/fail|refused|lost|fenced|gone|broken|incomplete|no_home_region/.test(event)) return 'red';
  if (/throttled|stalled|stretched|timeout|cancel|jumped|reduced/.test(event)) return 'yellow';
  if (/delivered|recovered/.test(event)) return 'green';
  return undefined;
}
