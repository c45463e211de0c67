/** The two HTML pages: the audit, and the journal of calls. */
import type { Audit } from '../audit/audit.ts';
import type { SwitchShown } from '../lib/behaviour.ts';
import type { JournalEntry } from '../audit/journal.ts';
import { journalRow } from '../audit/journal-row.ts';
import { escape, frame, table, wrapped } from './page-parts.ts';
import type { SimulatorState } from './state.ts';

const NEWEST_CALLS = 25;

export function auditPage(parts: {
  readonly audit: Audit;
  readonly state: SimulatorState;
  readonly switches: readonly SwitchShown[];
  readonly journal: readonly JournalEntry[];
}): string {
  const { audit, state, switches, journal } = parts;
  const verdict =
    audit.violations.length === 0
      ? '<p class="good">No client broke a documented rule.</p>'
      : `<ul class="bad">${audit.violations.map((each) => `<li>${escape(each)}</li>`).join('')}</ul>`;
  return frame(
    'AWS simulator',
    `<p class="quiet">${escape(audit.at)} by the simulator's clock · home region ${escape(state.homeRegion ?? 'not set')} · ${audit.calls} calls ·
<a href="calls">calls</a> <a href="calls?errors">errors</a> · as JSON: <a href="audit">audit</a> <a href="journal">journal</a> <a href="state">state</a> <a href="switches">switches</a></p>
${verdict}
<h2>Migration Hub</h2>
${hubTable(audit.migrationHub)}
<h2>Data Pipeline</h2>
${pipelineTables(audit.dataPipeline, state)}
<h2>Calls</h2>
${operationsTable(audit.operations)}
<h2>The newest calls</h2>
${callsTable(journal.slice(-NEWEST_CALLS))}
<h2>Settings</h2>
${settingsTables(switches, state.faults)}`,
  );
}

function hubTable({ tasks }: Audit['migrationHub']): string {
  return table(
    ['Stream', 'Task', 'Status', 'Percent', 'Detail', 'Updates', 'Stale seconds', 'Promise ends'],
    tasks.map((task) => [
      task.stream,
      task.task,
      task.isStale ? { text: `${task.status}, stale`, style: 'bad' } : task.status,
      task.percent ?? '',
      wrapped(task.detail ?? ''),
      task.updates,
      task.staleSeconds.toFixed(1),
      task.deadline,
    ]),
  );
}

function pipelineTables(tasks: Audit['dataPipeline'], state: SimulatorState): string {
  return `<p>${tasks.handOuts} tasks handed out, ${tasks.reports} reports, ${tasks.cancelsReported} cancels answered,
longest gap between reports ${tasks.longestReportGapSeconds.toFixed(1)} s,
${state.heldPolls} polls held, ${state.readyTasks} tasks ready.</p>
${table(
  ['Pipeline', 'Instance', 'Status', 'Attempts', 'Host', 'Reported'],
  state.pipelines.flatMap((pipeline) =>
    pipeline.instances.map((instance) => [
      `${pipeline.name} (${pipeline.id}, ${pipeline.state})`,
      instance.id,
      instance.status,
      instance.attempts.length,
      instance.attempts.at(-1)?.hostname ?? '',
      wrapped(
        Object.entries(instance.attempts.at(-1)?.reported ?? {})
          .map(([key, value]) => `${key}=${value ?? ''}`)
          .join(' '),
      ),
    ]),
  ),
)}
${table(
  ['When', 'Violation', 'Attempt', 'Host'],
  tasks.incidents.map((each) => [each.at, each.type, each.attemptId ?? '', each.hostname ?? '']),
)}
${table(
  ['Task runner', 'Last heartbeat'],
  state.taskRunners.map((runner) => [runner.taskRunnerId, runner.lastHeartbeatAt]),
)}`;
}

function operationsTable(operations: Audit['operations']): string {
  return table(
    ['Operation', 'Calls', 'Ok', 'Over the limit', 'Throttled', 'Faulted', 'Errors'],
    Object.entries(operations).map(([name, seen]) => [
      name,
      seen.calls,
      seen.ok,
      seen.overLimit,
      seen.throttled,
      seen.faulted,
      Object.entries(seen.errors)
        .map(([error, count]) => `${error} ${count}`)
        .join(', '),
    ]),
  );
}

function settingsTables(
  switches: readonly SwitchShown[],
  faults: SimulatorState['faults'],
): string {
  const changed = switches.filter((each) => each.value !== each.fallback);
  return `${changed.length === 0 ? '<p class="quiet">All switches have their default.</p>' : ''}
${table(
  ['Switch', 'Value', 'Default'],
  changed.map((each) => [each.name, each.value, each.fallback]),
)}
${table(
  ['Fault rule', 'Added', 'Applied', 'Left'],
  faults.map(({ addedAt, applied, left, ...rule }) => [
    JSON.stringify(rule),
    addedAt,
    applied,
    left === Infinity ? 'no end' : left,
  ]),
)}`;
}

export function callsPage(entries: readonly JournalEntry[], chosen: string): string {
  return frame(
    'AWS simulator: calls',
    `<p class="quiet"><a href="./">audit</a> · ${escape(chosen)} · ${entries.length} calls, the newest first</p>
${callsTable(entries)}`,
  );
}

function callsTable(entries: readonly JournalEntry[]): string {
  return table(
    ['When', 'By', 'Operation', 'Request', 'Answer', 'ms'],
    entries.toReversed().map((entry) => {
      const row = journalRow(entry);
      return [
        row.at,
        wrapped(row.by),
        row.operation,
        wrapped(row.request),
        { text: row.answer, style: row.isGood ? 'good' : 'bad' },
        row.tookMs ?? '',
      ];
    }),
  );
}
