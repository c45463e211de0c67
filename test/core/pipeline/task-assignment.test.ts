import { describe, expect, test } from 'vitest';
import type { PipelineField, PolledTask } from '../../../src/core/model/call.ts';
import { periodMs } from '../../../src/core/pipeline/period.ts';
import {
  assignment,
  instanceKey,
  unreadableFields,
  windowMs,
} from '../../../src/core/pipeline/task-assignment.ts';
import { PIPELINE, definition, settings } from '../../support/settings.ts';

function task(fields: readonly PipelineField[]): PolledTask {
  const attemptId = '@CopyFiles_2026-01-01T00:00:00_Attempt=2';
  return {
    taskId: 't',
    pipelineId: 'df-1',
    attemptId,
    objects: [
      { id: 'CopyFiles', name: 'Copy files', fields: [] },
      {
        id: attemptId,
        name: attemptId,
        fields: [
          { key: '@componentParent', refValue: 'CopyFiles' },
          { key: '@instanceParent', refValue: '@CopyFiles_2026-01-01T00:00:00' },
          { key: 'type', stringValue: 'ShellCommandActivity' },
          ...fields,
        ],
      },
    ],
  };
}

const nightly = definition('nightly', { timeoutMs: 3_600_000 });

function withActivities(activities: (typeof PIPELINE)['activities']) {
  return settings({
    jobs: new Map([['nightly', nightly]]),
    dataPipeline: { ...PIPELINE, activities },
  });
}

describe('which job a task runs', () => {
  test('the first rule that matches by the component name', () => {
    const configured = withActivities([
      { match: { type: 'ShellCommandActivity', name: 'Other' }, shell: true },
      { match: { type: 'ShellCommandActivity', name: 'Copy files' }, job: 'nightly' },
    ]);
    expect(assignment(task([]), configured)).toMatchObject({ kind: 'run', definition: nightly });
  });

  test('no rule: refused with the name and type, never run (P9)', () => {
    const found = assignment(
      task([{ key: 'command', stringValue: 'rm -rf /' }]),
      withActivities([]),
    );
    expect(found).toMatchObject({ kind: 'refuse', name: 'df-1.Copy files' });
    expect(found.kind === 'refuse' && found.reason).toContain('ShellCommandActivity "Copy files"');
  });

  test('shell text runs only under a rule that says shell, with its repeated arguments in order', () => {
    const configured = withActivities([{ match: { type: 'ShellCommandActivity' }, shell: true }]);
    const found = assignment(
      task([
        { key: 'command', stringValue: 'echo "$1" "$2"' },
        { key: 'scriptArgument', stringValue: 'one' },
        { key: 'scriptArgument', stringValue: 'two' },
      ]),
      configured,
    );
    expect(found.kind === 'run' && found.definition).toEqual({
      name: 'df-1.Copy files',
      command: ['/bin/sh', '-c', 'echo "$1" "$2"', 'df-1.Copy files', 'one', 'two'],
      environment: {},
      autostart: false,
      progress: { parser: 'percent' },
      stop: configured.shellStop,
      migrationHub: {
        ...{ task: '{job}', resourceAttributes: [], sourceResources: [], artifacts: [] },
      },
    });
  });

  test('shell text is reported to Migration Hub only if that is a destination', () => {
    const { migrationHub, ...pipelineOnly } = withActivities([{ match: {}, shell: true }]);
    expect(migrationHub).toBeDefined();
    const found = assignment(task([{ key: 'command', stringValue: 'true' }]), pipelineOnly);
    expect(found.kind).toBe('run');
    expect(found.kind === 'run' && found.definition).not.toHaveProperty('migrationHub');
  });

  test('whether it is a precondition is said by its rule', () => {
    const isOne = (precondition?: boolean): unknown => {
      const rule = {
        match: {},
        job: 'nightly',
        ...(precondition === undefined ? {} : { precondition }),
      };
      const found = assignment(task([]), withActivities([rule]));
      return found.kind === 'run' && found.isPrecondition;
    };
    expect([isOne(true), isOne(false), isOne()]).toEqual([true, false, false]);
  });

  test('a rule whose job is not configured is refused, whatever command the task brings', () => {
    const configured = withActivities([{ match: {}, job: 'no-such-job' }]);
    const found = assignment(task([{ key: 'command', stringValue: 'rm -rf /' }]), configured);
    expect(found.kind === 'refuse' && found.reason).toContain('"no-such-job"');
  });

  test.each([
    ['stage', 'TRUE', 'stage=true needs S3 staging'],
    ['scriptUri', 's3://bucket/run.sh', 'scriptUri needs a download from S3'],
    ['runsOn', 'MyEc2', 'runsOn names a resource'],
    ['stdout', 's3://bucket/out', 'stdout needs an upload to S3'],
    ['stderr', 's3://bucket/err', 'stderr needs an upload to S3'],
  ])('shell text with %s is refused with its reason, and a job is not', (key, value, message) => {
    const fields = [
      { key: 'command', stringValue: 'true' },
      key === 'runsOn' ? { key, refValue: value } : { key, stringValue: value },
    ];
    const found = assignment(task(fields), withActivities([{ match: {}, shell: true }]));
    expect(found.kind === 'refuse' && found.reason).toContain(message);
    const local = assignment(task(fields), withActivities([{ match: {}, job: 'nightly' }]));
    expect(local.kind).toBe('run');
  });

  test('shell text without a command is refused', () => {
    const found = assignment(task([]), withActivities([{ match: {}, shell: true }]));
    expect(found.kind === 'refuse' && found.reason).toContain('no `command`');
  });

  test.each([
    [{ id: 'CopyFiles' }, true],
    [{ id: '@CopyFiles_2026-01-01T00:00:00_Attempt=2' }, true],
    [{ id: 'Copy files' }, false],
    [{ name: 'CopyFiles' }, false],
    [{ myTag: 'b' }, true],
    [{ myTag: 'c' }, false],
    [{ onFail: 'Alarm' }, true],
    [{ type: 'ShellCommandActivity', myTag: 'a', onFail: 'Alarm' }, true],
    [{ type: 'ShellCommandActivity', myTag: 'c' }, false],
    [{ ofComponent: 'yes' }, true],
    [{}, true],
  ])('a rule with %j matches any value of a field: %s', (match, fits) => {
    const tagged = task([
      { key: 'myTag', stringValue: 'a' },
      { key: 'myTag', stringValue: 'b' },
      { key: 'onFail', refValue: 'Alarm' },
    ]);
    const [component, ...objects] = tagged.objects;
    const fields = [{ key: 'ofComponent', stringValue: 'yes' }];
    const whole = { ...tagged, objects: [{ ...component!, fields }, ...objects] };
    const rule = { match: match as Record<string, string>, job: 'nightly' };
    expect(assignment(whole, withActivities([rule])).kind).toBe(fits ? 'run' : 'refuse');
  });

  test('the shorter of both timeouts counts', () => {
    const configured = withActivities([{ match: {}, job: 'nightly' }]);
    const found = assignment(
      task([{ key: 'attemptTimeout', stringValue: '30 Minutes' }]),
      configured,
    );
    expect(found.kind === 'run' && found.definition.timeoutMs).toBe(30 * 60_000);
    const longer = assignment(
      task([{ key: 'attemptTimeout', stringValue: '2 Hours' }]),
      configured,
    );
    expect(longer.kind === 'run' && longer.definition.timeoutMs).toBe(3_600_000);
    const none = assignment(task([]), configured);
    expect(none.kind === 'run' && none.definition).toBe(nightly);
  });
});

test('the window is the task’s own reportProgressTimeout, in every spelling', () => {
  const configured = { ...PIPELINE, windowMs: 900_000 };
  expect(windowMs(task([]), configured)).toBe(900_000);
  const own = [{ key: 'reportProgressTimeout', stringValue: '1 Hour' }];
  expect(windowMs(task(own), configured)).toBe(3_600_000);
  expect(['15 minutes', '2 Days', '1 week', '24 Hours'].map(periodMs)).toEqual([
    900_000, 172_800_000, 604_800_000, 86_400_000,
  ]);
  expect(['', '15', 'minutes', '0 hours', '-1 day', '1 fortnight'].map(periodMs)).toEqual(
    Array(6).fill(undefined),
  );
});

test('an instance has the name that the pipeline gives it, or that of its attempts without their number', () => {
  const [component, attempt] = task([]).objects;
  const named = (fields: readonly PipelineField[]) =>
    instanceKey({ ...task([]), objects: [component!, { ...attempt!, fields }] });
  expect(named([{ key: '@instanceParent', refValue: '@Other_2026' }])).toBe('df-1/@Other_2026');
  expect(named([])).toBe('df-1/@CopyFiles_2026-01-01T00:00:00');
});

test('all attempts of an instance are the same instance', () => {
  expect(instanceKey(task([]))).toBe('df-1/@CopyFiles_2026-01-01T00:00:00');
});

test('a period that cannot be read is reported with the value that is used instead', () => {
  const fields = [
    { key: 'reportProgressTimeout', stringValue: '60 mins' },
    { key: 'attemptTimeout', stringValue: `${'9'.repeat(200)} hours` },
  ];
  expect(unreadableFields(task(fields), { ...PIPELINE, windowMs: 900_000 })).toEqual([
    { field: 'reportProgressTimeout', value: '60 mins', used: 'window (15 minutes)' },
    { field: 'attemptTimeout', value: '9'.repeat(60), used: 'timeout of the job, or none' },
  ]);
  const readable = [{ key: 'reportProgressTimeout', stringValue: '60 minutes' }];
  expect(unreadableFields(task(readable), PIPELINE)).toEqual([]);
});

test('a very long period is limited to what a date can hold', () => {
  const ms = periodMs('999999999 years') ?? Infinity;
  expect(new Date(Date.now() + ms).toISOString()).toMatch(/^2\d{3}-/);
});
