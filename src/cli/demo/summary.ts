/** What AWS saw of the demo, by the simulator's audit: the sentences at its end, and whether everything is as expected. */
import type { JobStatus } from '../../core/model/status.ts';
import type { Audit } from '../../simulator/audit/audit.ts';
import { wrap } from '../terminal/printable.ts';

export interface DemoSummary {
  readonly text: string;
  /** False when a promise was broken or a job did not end as the demo means it to. */
  readonly isAsPromised: boolean;
}

/** How each job of the demo must have ended. */
const EXPECTED: Readonly<Record<string, string>> = {
  photos: 'succeeded',
  archive: 'succeeded',
  mail: 'canceled',
  invoices: 'failed',
};

export function summarize(audit: Audit, jobs: readonly JobStatus[], columns: number): DemoSummary {
  const { migrationHub, dataPipeline } = audit;
  const expired = dataPipeline.acknowledgementLapses + dataPipeline.progressLapses;
  const wrong = Object.entries(EXPECTED).filter(
    ([name, state]) => jobs.find((job) => job.name === name)?.state !== state,
  );
  const undelivered = jobs.filter((job) => job.destinations.migrationHub?.delivery === 'pending');
  const faulted = Object.values(audit.operations).reduce((sum, one) => sum + one.faulted, 0);
  const isAsPromised =
    audit.violations.length === 0 &&
    migrationHub.staleSeconds === 0 &&
    expired === 0 &&
    audit.overLimit === 0 &&
    wrong.length === 0 &&
    undelivered.length === 0;
  const rows = [
    ['calls', `${audit.calls}, ${faulted} of them lost in the outage`],
    ['over a limit', String(audit.overLimit)],
    ['refused as invalid', String(audit.invalidRequests.count)],
    ['stale tasks', `${migrationHub.staleSeconds} s`],
    ['expired pipeline tasks', String(expired)],
    ['SetTaskStatus after a cancel', String(dataPipeline.statusAfterCancel)],
    ...migrationHub.tasks.map((task) => [
      `task ${task.task}`,
      [task.status, task.percent === undefined ? '' : `${task.percent} %`, task.detail ?? '']
        .filter((part) => part !== '')
        .join(', '),
    ]),
  ] as const;
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.flatMap(([name = '', value = '']) =>
    wrap(value, Math.max(20, columns - width - 4)).map(
      (line, index) => `  ${(index === 0 ? name : '').padEnd(width)}  ${line}`,
    ),
  );
  const verdict = isAsPromised
    ? 'Every promise was kept.'
    : [
        'Not as promised:',
        ...audit.violations,
        ...wrong.map(describeWrong),
        ...undelivered.map(({ name }) => `the final report of ${name} was not delivered`),
      ].join('\n  ');
  return { text: ['What AWS saw:', ...lines, '', verdict].join('\n'), isAsPromised };
}

function describeWrong([name, state]: readonly [string, string]): string {
  return `job ${name} should have ${state}`;
}
