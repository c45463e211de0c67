/** The audit as one small page for a person: no script, no request beyond itself. */
import type { Audit } from './audit.ts';
import type { SimulatorState } from './state.ts';

export function page(audit: Audit, state: SimulatorState): string {
  const { migrationHub: hub, dataPipeline: tasks } = audit;
  const verdict =
    audit.violations.length === 0
      ? '<p class="good">Nothing to hold against the clients.</p>'
      : `<ul class="bad">${audit.violations.map((each) => `<li>${escape(each)}</li>`).join('')}</ul>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>What AWS saw</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #d8dee4 }
.number { text-align: right; font-variant-numeric: tabular-nums } .good { color: #116329 } .bad { color: #a40e26 } .quiet { color: #59636e }
</style></head><body>
<h1>What AWS saw</h1>
<p class="quiet">${escape(audit.at)} by the simulator's clock · home region ${escape(state.homeRegion ?? 'not set')} · ${audit.calls} calls ·
<a href="audit">audit</a> <a href="journal">journal</a> <a href="state">state</a></p>
${verdict}
<h2>Migration Hub</h2>
${table(
  ['Stream', 'Task', 'Status', 'Percent', 'Detail', 'Updates', 'Stale seconds', 'Promise ends'],
  hub.tasks.map((task) => [
    task.stream,
    task.task,
    task.isStale ? `${task.status}, stale` : task.status,
    task.percent ?? '',
    task.detail ?? '',
    task.updates,
    task.staleSeconds.toFixed(1),
    task.deadline,
  ]),
)}
<h2>Data Pipeline</h2>
<p>${tasks.handOuts} hand-outs, ${tasks.reports} reports, ${tasks.cancelsTold} cancels told,
longest gap between reports ${tasks.longestReportGapSeconds.toFixed(1)} s.</p>
${table(
  ['Pipeline', 'Instance', 'Status', 'Attempts', 'Host'],
  state.pipelines.flatMap((pipeline) =>
    pipeline.instances.map((instance) => [
      `${pipeline.name} (${pipeline.id})`,
      instance.id,
      instance.status,
      instance.attempts.length,
      instance.attempts.at(-1)?.hostname ?? '',
    ]),
  ),
)}
${table(
  ['When', 'What should not have happened', 'Attempt', 'Host'],
  tasks.happenings.map((each) => [each.at, each.type, each.attemptId ?? '', each.hostname ?? '']),
)}
<h2>Calls</h2>
${table(
  ['Operation', 'Calls', 'Ok', 'Over the limit', 'Throttled', 'Faulted', 'Errors'],
  Object.entries(audit.operations).map(([name, seen]) => [
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
)}
</body></html>
`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '';
  const cell = (value: string | number): string =>
    typeof value === 'number' ? `<td class="number">${value}</td>` : `<td>${escape(value)}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head.map((each) => `<th>${each}</th>`).join('')}</tr></thead>\n<tbody>${body}</tbody></table>`;
}

/** Names and details come from clients. */
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
