/**
 * Reads the JSON of a row. A row that does not parse, or lacks what every row of its kind has, is damaged: it must not
 * reach the planner, which takes the store's word for it.
 */
import type { HubTask } from '../core/model/hub-task.ts';
import type { Run, RunState } from '../core/model/job.ts';
import type { AgentMetadata } from '../core/state/persistent-state.ts';

/** Only the names count. */
const STATES = {
  queued: null,
  starting: null,
  running: null,
  canceling: null,
  succeeded: null,
  failed: null,
  lost: null,
  canceled: null,
  fenced: null,
} satisfies Record<RunState, null>;

export function readRun(text: string): Run | undefined {
  const row = readObject(text);
  const definition = row?.['definition'];
  const isRun =
    row !== undefined &&
    isText(row['id']) &&
    isText(row['job']) &&
    Number.isSafeInteger(row['number']) &&
    Number.isSafeInteger(row['spawn']) &&
    Object.hasOwn(STATES, String(row['state'])) &&
    isInstant(row['requestedAt']) &&
    isObject(definition) &&
    isText(definition['name']) &&
    Array.isArray(definition['command']) &&
    isObject(definition['stop']);
  return isRun ? (row as unknown as Run) : undefined;
}

export function readHubTask(text: string): HubTask | undefined {
  const row = readObject(text);
  const isTask =
    row !== undefined &&
    isText(row['name']) &&
    typeof row['imported'] === 'boolean' &&
    typeof row['lastStampS'] === 'number' &&
    Array.isArray(row['finalReports']) &&
    Array.isArray(row['links']);
  return isTask ? (row as unknown as HubTask) : undefined;
}

export function readMetadata(text: string): AgentMetadata | undefined {
  const row = readObject(text);
  return row !== undefined && Array.isArray(row['streams'])
    ? (row as unknown as AgentMetadata)
    : undefined;
}

/** `undefined` for anything but a JSON object. */
export function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isInstant(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value['wallMs']) && Number.isFinite(value['bootMs']);
}
