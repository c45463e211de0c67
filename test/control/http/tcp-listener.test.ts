/** The TCP listener: metrics, health, the status page, and that it changes nothing. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

import { createCallLatency, timedServices } from '../../../src/control/call-latency.ts';
import { createHttpListener } from '../../../src/control/http/tcp-listener.ts';
import type { OutputDocument, OverviewDocument } from '../../../src/control/page/documents.ts';
import { RunLog } from '../../../src/jobs/files/run-log.ts';
import { temporaryDirectory } from '../control-server-fixture.ts';
import { createRegistry } from '../../../src/control/metrics.ts';
import type { Outcome } from '../../../src/core/model/call.ts';
import { FULL_STATUS, jobNamed, OperatorInMemory, statusWith } from '../operator-in-memory.ts';

async function serve(listen = '127.0.0.1:0'): Promise<{ operator: OperatorInMemory; at: string }> {
  const operator = new OperatorInMemory();
  const listener = createHttpListener({ listen, operator, registry: createRegistry(operator) });
  const { port } = await listener.listen();
  onTestFinished(() => listener.close());
  return { operator, at: `http://127.0.0.1:${port}` };
}

/** With a job `copy` whose output tests write. */
async function serveOutput() {
  const directory = await temporaryDirectory();
  const operator = new OperatorInMemory();
  const listener = createHttpListener({
    listen: '127.0.0.1:0',
    operator,
    registry: createRegistry(operator),
    output: { openLog: () => new RunLog(join(directory, 'stdout.log')) },
  });
  const { port } = await listener.listen();
  onTestFinished(() => listener.close());
  const write = (text: string) => appendFile(join(directory, 'stdout.log'), text);
  return { operator, at: `http://127.0.0.1:${port}`, write };
}

async function samples(at: string): Promise<string[]> {
  const text = await (await fetch(`${at}/metrics`)).text();
  // prom-client's own (process_…, nodejs_…) are its business.
  return text.split('\n').filter((line) => line.startsWith('migration_agent_'));
}

test('metrics show what status shows', async () => {
  const { operator, at } = await serve();
  operator.document = FULL_STATUS;
  expect((await fetch(`${at}/metrics`)).headers.get('content-type')).toContain(
    'text/plain; version=0.0.4',
  );
  expect(await samples(at)).toEqual([
    `migration_agent_build_info{version="0.1.0",node="${process.version}",host="files-host-01"} 1`,
    `migration_agent_start_time_seconds ${Date.UTC(2026, 10, 22) / 1000}`,
    'migration_agent_nearest_deadline_seconds 288',
    'migration_agent_jobs_waiting_for_budget 0',
    'migration_agent_outbox_reports 2',
    'migration_agent_outbox_age_seconds 1260',
    `migration_agent_credentials_expiry_timestamp_seconds ${Date.UTC(2026, 10, 22, 4) / 1000}`,
    'migration_agent_clock_offset_seconds 0.3',
    'migration_agent_problems 1',
    'migration_agent_fleet_joined 0',
    'migration_agent_fleet_hosts 2',
    'migration_agent_draining 0',
    'migration_agent_jobs{state="running"} 1',
    'migration_agent_calls_total{operation="NotifyMigrationTaskState",outcome="accepted"} 123',
    'migration_agent_calls_total{operation="NotifyMigrationTaskState",outcome="throttled"} 2',
    'migration_agent_calls_total{operation="NotifyMigrationTaskState",outcome="failed"} 1',
    'migration_agent_calls_total{operation="PollForTask",outcome="accepted"} 0',
    'migration_agent_calls_total{operation="PollForTask",outcome="throttled"} 0',
    'migration_agent_calls_total{operation="PollForTask",outcome="failed"} 0',
    'migration_agent_budget_calls_per_second{operation="NotifyMigrationTaskState"} 1',
    'migration_agent_budget_calls_per_second{operation="PollForTask"} 1',
    'migration_agent_budget_burst_calls{operation="NotifyMigrationTaskState"} 10',
    'migration_agent_budget_burst_calls{operation="PollForTask"} 10',
    'migration_agent_budget_available_calls{operation="NotifyMigrationTaskState"} 9',
    'migration_agent_operation_paused{operation="NotifyMigrationTaskState"} 1',
    'migration_agent_operation_paused{operation="PollForTask"} 0',
    'migration_agent_job_progress_percent{name="nightly-files"} 72',
    'migration_agent_job_failed{name="nightly-files"} 0',
    'migration_agent_job_slack_seconds{name="nightly-files",destination="migrationHub"} 288',
    'migration_agent_job_slack_seconds{name="nightly-files",destination="dataPipeline"} 895',
    'migration_agent_promises_broken_total 0',
    'migration_agent_leases_lost_total 0',
    'migration_agent_reports_refused_total 0',
  ]);
});

test('what is gone from status is gone from the metrics, and no promise is no zero', async () => {
  const { operator, at } = await serve();
  operator.document = FULL_STATUS;
  await samples(at);
  operator.document = statusWith([jobNamed('other')]);
  const lines = await samples(at);
  expect(lines.filter((line) => line.includes('nightly-files'))).toEqual([]);
  expect(lines.filter((line) => line.includes('nearest_deadline'))).toEqual([]);
  expect(lines).toContain('migration_agent_jobs{state="idle"} 1');
  // Nothing is pending.
  expect(lines).toContain('migration_agent_outbox_age_seconds 0');
});

test.each([
  ['running', 0],
  ['succeeded', 0],
  ['canceled', 0],
  ['failed', 1],
  ['lost', 1],
  ['fenced', 1],
] as const)('a job that is %s counts %d among the failed ones', async (state, value) => {
  const { operator, at } = await serve();
  operator.show(jobNamed('copy', { run: 1, state }), jobNamed('never'));
  const lines = await samples(at);
  const failed = lines.filter((line) => line.startsWith('migration_agent_job_failed'));
  expect(failed).toEqual([`migration_agent_job_failed{name="copy"} ${value}`]);
});

test('an agent that drains, and one alone in its fleet, show it', async () => {
  const { operator, at } = await serve();
  operator.document = statusWith([], { state: 'draining', fleet: { state: 'joined', share: 0.5 } });
  expect(await samples(at)).toEqual(
    expect.arrayContaining(['migration_agent_draining 1', 'migration_agent_fleet_joined 1']),
  );
  operator.document = statusWith([], { state: 'running', fleet: { state: 'alone', share: 0.5 } });
  expect(await samples(at)).toEqual(
    expect.arrayContaining(['migration_agent_draining 0', 'migration_agent_fleet_joined 0']),
  );
});

test('what was broken is counted, from the timeline', async () => {
  const { operator, at } = await serve();
  for (const event of ['promise.broken', 'lease.gone', 'lease.fenced', 'report.refused', 'x.y']) {
    operator.emit({ at: { wallMs: 0, bootMs: 0 }, event, fields: {} });
  }
  const lines = await samples(at);
  expect(lines).toContain('migration_agent_promises_broken_total 1');
  expect(lines).toContain('migration_agent_leases_lost_total 2');
  expect(lines).toContain('migration_agent_reports_refused_total 1');
});

test('a scrape looks at the agent once, and shows its process and loop as well', async () => {
  const { operator, at } = await serve();
  const status = vi.spyOn(operator, 'agent');
  const text = await (await fetch(`${at}/metrics`)).text();
  expect(status).toHaveBeenCalledTimes(1);
  expect(text).toMatch(/^nodejs_eventloop_utilization_ratio \d/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d/m);
});

test('calls are timed by operation and outcome, and what they answer is left alone', async () => {
  const latency = createCallLatency();
  const call = { operation: 'GetHomeRegion' } as const;
  const answers: Outcome[] = [
    { kind: 'accepted', answer: { operation: 'GetHomeRegion', homeRegion: 'eu-central-1' } },
    { kind: 'throttled', reason: 'slow down' },
  ].map((outcome) => outcome as Outcome);
  const services = timedServices(
    { send: () => Promise.resolve(answers.shift()!), close: () => undefined },
    latency,
  );
  expect(await services.send(call)).toMatchObject({ kind: 'accepted' });
  expect(await services.send(call)).toMatchObject({ kind: 'throttled' });
  const registry = createRegistry(new OperatorInMemory(), latency);
  const text = await registry.metrics();
  expect(text).toContain(
    'migration_agent_call_duration_seconds_count{operation="GetHomeRegion",outcome="throttled"} 1',
  );
  expect(text).toContain(
    'migration_agent_call_duration_seconds_bucket{le="90",operation="GetHomeRegion",outcome="accepted"} 1',
  );
});

test('names and help follow the conventions of Prometheus', async () => {
  const registry = createRegistry(new OperatorInMemory(), createCallLatency());
  const own = (await registry.getMetricsAsJSON()).filter(({ name }) =>
    name.startsWith('migration'),
  );
  expect(own.length).toBeGreaterThan(20);
  for (const { name, help, type } of own) {
    expect(name).toMatch(/^migration_agent_[a-z_]+$/);
    // https://prometheus.io/docs/practices/naming: a counter ends in _total, nothing else does.
    expect([name, name.endsWith('_total')]).toEqual([name, String(type) === 'counter']);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|hours|count|sum|bucket)$/);
    expect(help.length).toBeGreaterThan(10);
  }
});

test('health is an answer; readiness gives its reasons', async () => {
  const { operator, at } = await serve();
  expect(await (await fetch(`${at}/healthz`)).text()).toBe('ok\n');
  expect(await (await fetch(`${at}/readyz`)).json()).toEqual({ ready: true, reasons: [] });
  operator.document = statusWith([], {
    state: 'draining',
    problems: ['credentials have expired'],
  });
  const answer = await fetch(`${at}/readyz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    ready: false,
    reasons: ['credentials have expired', 'draining: no pipeline tasks are taken'],
  });
  const { agent } = operator.document;
  operator.agent = () => agent;
  operator.status = () => {
    throw new Error('the whole status is not needed');
  };
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
  expect((await fetch(`${at}/readyz`)).status).toBe(503);
});

test('the status page runs its own scripts and style and nothing else', async () => {
  const { operator, at } = await serve();
  operator.document = FULL_STATUS;
  const answer = await fetch(`${at}/`);
  const page = await answer.text();
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  const loaded = [...page.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(loaded.toSorted()).toEqual(['page/page.ts', 'page/style.css']);
  // Every module that a module imports is there, as JavaScript.
  const seen = new Set<string>();
  const wanted = ['page.ts'];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const script = await fetch(`${at}/page/${name}`);
    expect([name, script.status, script.headers.get('content-type')]).toEqual([
      name,
      200,
      'text/javascript; charset=utf-8',
    ]);
    const text = await script.text();
    expect(text).not.toMatch(/^\s*import type|: string\b/m);
    wanted.push(...[...text.matchAll(/from '\.\/([^']+)'/g)].map(([, from = '']) => from));
  }
  expect(seen.size).toBeGreaterThan(3);
  // Whatever the policy would block anyway must not be there to begin with.
  expect(page).not.toMatch(/https?:\/\/| style=| on\w+=|<script>|<style>/);
  expect((await fetch(`${at}/page/tsconfig.json`)).status).toBe(404);
  expect((await fetch(`${at}/page/constructor`)).status).toBe(404);
  expect(await (await fetch(`${at}/status.json`)).json()).toEqual(FULL_STATUS);
});

test('a job of the page has its timeline in sentences and its reports', async () => {
  const { operator, at } = await serve();
  operator.show(jobNamed('a b'));
  operator.entries.set('a b', [
    { at: { wallMs: 0, bootMs: 0 }, event: 'tree.empty', fields: {} },
    { at: { wallMs: 1000, bootMs: 0 }, event: 'some.thing_new', fields: {} },
  ]);
  operator.reported.set('a b', [
    { atMs: 0, to: 'migrationHub', percent: 5, holdsUntilMs: 300_000 },
  ]);
  const answer = await fetch(`${at}/jobs/a%20b.json`);
  expect(await answer.json()).toMatchObject({
    schema: 1,
    job: { name: 'a b' },
    events: [
      { at: '1970-01-01T00:00:00.000Z', event: 'tree.empty', message: 'tree empty' },
      { message: 'some thing new' },
    ],
    reports: [{ to: 'migrationHub', percent: 5, holdsUntil: '1970-01-01T00:05:00.000Z' }],
  });
  for (const path of ['/jobs/x.json', '/jobs/%zz.json', '/jobs/', '/jobs/a/b.json']) {
    expect((await fetch(`${at}${path}`)).status).toBe(404);
  }
});

test('the overview: counts, what needs attention first, the filter, and only what has changed', async () => {
  const { operator, at } = await serve();
  const many = Array.from({ length: 300 }, (_, index) => jobNamed(`idle-${index}`));
  const due = (name: string, slackSeconds: number) =>
    jobNamed(name, {
      run: 1,
      state: 'running',
      destinations: { migrationHub: { task: name, delivery: 'pending', slackSeconds } },
    });
  operator.show(
    ...many,
    due('later', 200),
    due('sooner', 20),
    jobNamed('done', { run: 1, state: 'succeeded', endedAt: '2026-11-22T03:00:00.000Z' }),
    jobNamed('broken', { run: 2, state: 'failed', endedAt: '2026-11-22T03:00:00.000Z' }),
    jobNamed('gone', { run: 2, state: 'lost', endedAt: '2026-11-22T03:00:00.000Z' }),
  );
  const ask = async (query: string) =>
    (await (await fetch(`${at}/overview.json?${query}`)).json()) as OverviewDocument;
  const all = await ask('');
  expect(all.counts).toEqual([
    ['lost', 1],
    ['failed', 1],
    ['running', 2],
    ['succeeded', 1],
    ['idle', 300],
  ]);
  expect(all.jobs?.slice(0, 5).map(({ name }) => name)).toEqual([
    'gone',
    'broken',
    'sooner',
    'later',
    'done',
  ]);
  expect([all.matching, all.jobs?.length]).toEqual([305, 100]);
  const failed = await ask('state=failed');
  expect([failed.matching, failed.jobs?.map(({ name }) => name)]).toEqual([1, ['broken']]);
  expect((await ask('q=IDLE-29')).matching).toBe(11);
  expect((await ask('open=idle-299')).jobs?.[0]?.name).toBe('idle-299');
  expect(await ask(`since=${all.version}`)).not.toHaveProperty('jobs');
  operator.show(...many);
  expect(await ask(`since=${all.version}`)).toHaveProperty('jobs');
});

test('a page that has an overview gets the rows that have changed since, and no others', async () => {
  const { operator, at } = await serve();
  const ask = async (query: string) =>
    (await (await fetch(`${at}/overview.json?${query}`)).json()) as OverviewDocument;
  const sixty = (percent: number) =>
    Array.from({ length: 60 }, (_, index) =>
      jobNamed(`copy-${index}`, { run: 1, state: 'running', ...(index === 7 && { percent }) }),
    );
  operator.show(...sixty(1));
  const first = await ask('sort=name');
  expect([first.jobs?.length, first.order?.length]).toEqual([60, 60]);
  operator.show(...sixty(2));
  const second = await ask(`sort=name&since=${first.version}`);
  expect(second.jobs?.map(({ name, percent }) => [name, percent])).toEqual([['copy-7', 2]]);
  expect(second).not.toHaveProperty('order');
  // Another order of rows that it has; one row that it lacks; then nothing new; then a version that nobody was sent.
  const third = await ask(`sort=percent&since=${second.version}`);
  expect([third.order?.[0], third.jobs]).toEqual(['copy-7', undefined]);
  operator.show(...sixty(2), jobNamed('late'));
  const fourth = await ask(`sort=percent&since=${third.version}`);
  expect(fourth.jobs?.map(({ name }) => name)).toEqual(['late']);
  const nothing = await ask(`sort=percent&since=${fourth.version}`);
  expect([nothing.jobs, nothing.order, nothing.budgets]).toEqual([undefined, undefined, undefined]);
  expect((await ask('since=of-another-agent')).jobs).toHaveLength(61);
});

test('the output of a job: its end, then what is new, whole lines, secrets masked', async () => {
  const { operator, at, write } = await serveOutput();
  const ask = async (query = '') =>
    (await (await fetch(`${at}/jobs/copy/output.json${query}`)).json()) as OutputDocument;
  operator.show(jobNamed('copy'));
  expect(await ask()).toMatchObject({ text: '', remark: 'This job has never run.' });
  operator.show(jobNamed('copy', { run: 1, state: 'running' }));
  expect(await ask()).toMatchObject({ text: '', run: 1 });
  await write('one\n\u001b[31mtwo\u001b[0m\npassword=s3c');
  const first = await ask();
  expect(first.text).toBe('one\ntwo\n');
  await write('ret123\nthree\n');
  const second = await ask(`?from=${first.next}&run=1`);
  expect(second.text).not.toContain('s3c');
  expect(second.text).toContain('three\n');
  expect((await ask(`?from=${second.next}&run=1`)).text).toBe('');
  // A position of another run means nothing.
  expect((await ask(`?from=${second.next}&run=7`)).text).toContain('one\n');
  expect((await fetch(`${at}/jobs/none/output.json`)).status).toBe(404);
});

test('it is read-only: every other method is 405, every other path is 404', async () => {
  const { operator, at } = await serve();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await fetch(`${at}/v1/drain`, { method });
    expect([method, answer.status, answer.headers.get('allow')]).toEqual([
      method,
      405,
      'GET, HEAD',
    ]);
  }
  for (const path of ['/v1/status', '/v1/jobs', '/metrics/', '/../etc/passwd']) {
    expect([path, (await fetch(`${at}${path}`)).status]).toEqual([path, 404]);
  }
  const head = await fetch(`${at}/metrics`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect(operator.asked).toEqual([]);
});

test('an IPv6 address is written in brackets', async () => {
  const operator = new OperatorInMemory();
  const registry = createRegistry(operator);
  const listener = createHttpListener({ listen: '[::1]:0', operator, registry });
  const { host, port } = await listener.listen();
  expect(host).toBe('::1');
  expect((await fetch(`http://[::1]:${port}/healthz`)).status).toBe(200);
  await listener.close();
});

test('an address that is taken or is none refuses to start with a clear error', async () => {
  const { at } = await serve();
  const operator = new OperatorInMemory();
  const listenerAt = (listen: string) =>
    createHttpListener({ listen, operator, registry: createRegistry(operator) });
  await expect(listenerAt(at.slice('http://'.length)).listen()).rejects.toThrow('EADDRINUSE');
  for (const listen of ['9464', 'localhost', '127.0.0.1:70000', '::1:9464']) {
    await expect(listenerAt(listen).listen()).rejects.toThrow('expected HOST:PORT');
  }
});
