/** The alert rules: that they are rules, that each fires when it should and only then, and that each has its remedy. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';

const RULES = 'config/prometheus-alerts.yaml';

interface Rule {
  readonly alert: string;
  readonly annotations: { readonly summary: string; readonly remedy: string };
  readonly labels: Readonly<Record<string, string>>;
}

const { groups } = parse(readFileSync(RULES, 'utf8')) as {
  groups: [{ rules: Rule[] }];
};
const [{ rules }] = groups;

/** What each alert is there for: a series that makes it fire, and when at the latest. */
const FIRES: Readonly<Record<string, { series: string; values: string; at: string }>> = {
  MigrationAgentDown: { series: 'up{job="migration-agent"}', values: '0x60', at: '6m' },
  MigrationAgentPromiseBroken: {
    series: 'migration_agent_nearest_deadline_seconds',
    values: '-1x60',
    at: '1m',
  },
  MigrationAgentDeadlineNear: {
    series: 'migration_agent_nearest_deadline_seconds',
    values: '20x60',
    at: '2m',
  },
  MigrationAgentOutboxGrows: {
    series: 'migration_agent_outbox_reports',
    values: '2x60',
    at: '31m',
  },
  MigrationAgentOperationPaused: {
    series: 'migration_agent_operation_paused{operation="PollForTask"}',
    values: '1x60',
    at: '16m',
  },
  MigrationAgentFleetAway: { series: 'migration_agent_fleet_joined', values: '0x60', at: '11m' },
  MigrationAgentClockOff: {
    series: 'migration_agent_clock_offset_seconds',
    values: '-90x60',
    at: '11m',
  },
  MigrationJobStuck: {
    series: 'migration_agent_jobs{state="canceling"}',
    values: '1x60',
    at: '31m',
  },
  MigrationAgentPromiseWasBroken: {
    series: 'migration_agent_promises_broken_total',
    values: '3 3 4x60',
    at: '5m',
  },
  MigrationAgentLeaseLost: {
    series: 'migration_agent_leases_lost_total',
    values: '0 0 1x60',
    at: '5m',
  },
  MigrationAgentReportRefused: {
    series: 'migration_agent_reports_refused_total',
    values: '0 0 1x60',
    at: '5m',
  },
  MigrationAgentCredentialsEnd: {
    series: 'migration_agent_credentials_expiry_timestamp_seconds',
    values: '600x60',
    at: '9m',
  },
  MigrationAgentBudgetUsedUp: {
    series: 'migration_agent_budget_available_calls{operation="PollForTask"}',
    values: '0x60',
    at: '20m',
  },
  MigrationAgentJobsUnreported: {
    series: 'migration_agent_jobs_waiting_for_budget',
    values: '3x60',
    at: '11m',
  },
  MigrationAgentProblem: { series: 'migration_agent_problems', values: '1x60', at: '16m' },
  MigrationAgentLoopLags: {
    series: 'nodejs_eventloop_utilization_ratio{job="migration-agent"}',
    values: '2x60',
    at: '6m',
  },
  MigrationJobFailed: { series: 'migration_agent_job_failed{name="a"}', values: '1x60', at: '1m' },
};

function promtool(...message: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', message, { encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test('every alert is tried here, and explains what happened and what to do', () => {
  expect(rules.map(({ alert }) => alert).toSorted()).toEqual(Object.keys(FIRES).toSorted());
  for (const { annotations, labels } of rules) {
    expect(annotations.summary).toContain('$labels.');
    expect(annotations.remedy.length).toBeGreaterThan(20);
    expect(labels['severity']).toMatch(/^(?:warning|critical)$/);
  }
});

test.skipIf(!hasPromtool)('promtool reads the rules (skipped if promtool is missing)', () => {
  const { status, text } = promtool('check', 'rules', RULES);
  expect(text).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(status).toBe(0);
});

test.skipIf(!hasPromtool)(
  'a healthy agent raises no alert (skipped if promtool is missing)',
  () => {
    const { status, text } = promtool('test', 'rules', 'test/control/alerts.promtool.yaml');
    expect(text).toContain('SUCCESS');
    expect(status).toBe(0);
    const healthy = readFileSync('test/control/alerts.promtool.yaml', 'utf8');
    for (const { alert } of rules) expect(healthy).toContain(`alertname: ${alert} }`);
  },
);

test.skipIf(!hasPromtool)('each alert fires in time (skipped if promtool is missing)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'alerts-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const tests = rules.map(({ alert, labels, annotations }) => {
    const { series, values, at } = FIRES[alert] ?? { series: '', values: '', at: '' };
    const own = Object.fromEntries(
      [...series.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const all: Record<string, string> = { ...own, instance: 'h' };
    const fill = (text: string): string =>
      text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_all, name: string) => all[name] ?? '');
    const withInstance = series.includes('{')
      ? series.replace('{', '{instance="h",')
      : `${series}{instance="h"}`;
    return {
      interval: '1m',
      input_series: [{ series: withInstance, values }],
      alert_rule_test: [
        {
          eval_time: at,
          alertname: alert,
          exp_alerts: [
            {
              exp_labels: { ...all, ...labels },
              exp_annotations: {
                summary: fill(annotations.summary),
                remedy: fill(annotations.remedy),
              },
            },
          ],
        },
      ],
    };
  });
  const file = join(directory, 'fires.yaml');
  writeFileSync(
    file,
    stringify({ rule_files: [resolve(RULES)], evaluation_interval: '1m', tests }),
  );
  const { status, text } = promtool('test', 'rules', file);
  expect(text).toContain('SUCCESS');
  expect(status).toBe(0);
});
