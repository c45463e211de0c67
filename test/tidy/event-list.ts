/**
 * The events of the log, read out of the code: those of the planner from their table, those of the shell from the
 * places where they are written. Syntax only: a place whose event cannot be read off is a fault, and is named.
 */
import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';

import type { EventKind } from '../../src/core/model/event-kind.ts';
import { EVENTS } from '../../src/core/model/timeline.ts';

export interface LoggedEvent {
  readonly name: string;
  readonly level: string;
  readonly msg: string;
  readonly fields: readonly string[];
}

/** The file that logs the planner's timeline events, whose names are in EVENTS. */
const TIMELINE_IS_LOGGED_IN = 'src/agent/journal.ts';

let read: readonly LoggedEvent[] | undefined;

/** An event that is logged with another message or at another level elsewhere appears twice. */
export function shellEvents(): readonly LoggedEvent[] {
  return (read ??= readShellEvents());
}

function readShellEvents(): LoggedEvent[] {
  const found = new Map<string, LoggedEvent>();
  for (const file of globSync('src/**/*.ts')) {
    const text = readFileSync(file, 'utf8');
    // To parse all files takes a second, and most of them write nothing.
    if (!/\.\s*write\b/.test(text)) continue;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      const event = ts.isCallExpression(node) ? loggedEvent(node, source) : undefined;
      if (event !== undefined) {
        const key = `${event.name} ${event.level} ${event.msg}`;
        const fields = [...new Set([...(found.get(key)?.fields ?? []), ...event.fields])];
        found.set(key, { ...event, fields });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** `log.write(level, event, msg, fields)`: nothing else in the agent is called `write` with four arguments. */
function loggedEvent(call: ts.CallExpression, source: ts.SourceFile): LoggedEvent | undefined {
  const [level, name, msg, fields] = call.arguments;
  if (!/(?:^|\W)\#?log\b.*\.write$/s.test(call.expression.getText(source))) return undefined;
  if (level === undefined || name === undefined || msg === undefined) return undefined;
  if (!ts.isStringLiteral(name) && source.fileName === TIMELINE_IS_LOGGED_IN) return undefined;
  const place = `${source.fileName}: ${name.getText(source)}`;
  if (!ts.isStringLiteral(name) || !ts.isStringLiteral(msg)) {
    throw new Error(`${place}: the event and its message must be literals`);
  }
  return {
    name: name.text,
    level: ts.isStringLiteral(level) ? level.text : 'of the caller',
    msg: msg.text,
    fields: fields === undefined ? [] : fieldNames(fields, place),
  };
}

function fieldNames(node: ts.Expression, place: string): string[] {
  if (ts.isParenthesizedExpression(node)) return fieldNames(node.expression, place);
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const [members] = node.arguments;
    if (node.expression.text === 'defined' && members !== undefined) {
      return fieldNames(members, place);
    }
  }
  if (ts.isConditionalExpression(node)) {
    return [...fieldNames(node.whenTrue, place), ...fieldNames(node.whenFalse, place)];
  }
  // `defined({ … })` leaves out members without a value.
  if (ts.isCallExpression(node) && calledName(node) === 'defined') {
    return node.arguments.flatMap((each) => fieldNames(each, place));
  }
  if (!ts.isObjectLiteralExpression(node)) throw new Error(`${place}: spell its fields out`);
  return node.properties.flatMap((property) => {
    if (ts.isSpreadAssignment(property)) return fieldNames(property.expression, place);
    if (!ts.isIdentifier(property.name)) {
      throw new Error(`${place}: a field without a plain name`);
    }
    return [property.name.text];
  });
}

/**
 * The two lists of config/events.md, as markdown. Lists, not tables: a new event then changes one line of the page.
 */
export function eventLists(): { readonly timeline: string; readonly agent: string } {
  const kinds: readonly (readonly [string, EventKind])[] = Object.entries(EVENTS);
  const timeline = kinds.map(([name, { errorIfState, level: usual, msg, persisted, fields }]) => {
    const level =
      errorIfState === undefined ? usual : `${usual}; error if ${errorIfState.join(', ')}`;
    const lines = Object.entries(fields).map(([field, message]) => `\`${field}\`: ${message}`);
    return item(name, persisted ? `${level}, kept` : level, msg, lines.join('; '));
  });
  const agent = shellEvents().map(({ name, level, msg, fields }) =>
    item(name, level, msg, fields.map((field) => `\`${field}\``).join(', ')),
  );
  return { timeline: timeline.join('\n'), agent: agent.join('\n') };
}

function item(name: string, level: string, msg: string, fields: string): string {
  return `- \`${name}\` (${level}): “${msg}”${fields === '' ? '' : `. ${fields}`}`;
}

function calledName({ expression }: ts.CallExpression): string | undefined {
  return ts.isIdentifier(expression) ? expression.text : undefined;
}
