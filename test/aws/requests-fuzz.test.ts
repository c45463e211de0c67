/**
 * Whatever a configuration that was accepted, a job's output or a pipeline's author holds: no request of ours is refused
 * as invalid. The judge is the simulator over HTTP, and for the commands of our own boto3's validator as well.
 * `npm run test:fuzz` sends 100,000; `SEED=… RUNS=…` repeats one.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import { finalNextUpdateS, nextUpdateS } from '../../src/core/scheduling/deadlines.ts';
import { linksAtStart, linksAtSuccess } from '../../src/core/hub/links.ts';
import { hubTaskName, legalName } from '../../src/core/hub/task-name.ts';
import type { JobDefinition, Run, RunState } from '../../src/core/model/job.ts';
import { hubPayload, finalTaskStatus } from '../../src/core/model/report.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import type { Services } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { awsEnvironment } from '../support/aws-environment.ts';
import { boto3Missing } from '../support/boto3.ts';
import { servicesAt, setEnvironment } from './aws-stub.ts';
import { anyText } from '../support/any-text.ts';

const RUNS = Number(process.env['RUNS'] ?? 12);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

let simulator: Simulator;
let services: Services;
beforeAll(async () => {
  setEnvironment();
  simulator = createSimulator({
    homeRegion: 'eu-central-1',
    enforceLimits: false,
    behaviour: { pollMs: 1 },
  });
  services = servicesAt((await simulator.listen(0)).url, { limits: {} });
});
afterAll(async () => {
  services.close();
  await simulator.close();
});

/** Text as jobs, terminals and operators make it: colours, control characters, lone surrogates, much too long. */
const requestText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  anyText({ maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    ' ',
    '\u001b[31mred\u001b[0m',
    'a\r\nb\tc',
    '\u2028\u2029\u0085',
    '\ufffe\uffff\u0000',
    'C:\\Windows|x',
    '2012-12-12T00:00:00',
    '::1',
    'password=hunter2',
    'https://user:secret@host/',
    '😀'.repeat(2000),
    'ß'.repeat(5000),
    'x'.repeat(3000),
    'Service_x',
  ),
  fc
    .tuple(anyText({ maxLength: 4 }), fc.integer({ min: 1, max: 4000 }))
    .map(([text, times]) => text.repeat(times)),
);

const orAny = (...usual: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    // A file with one bad value is refused as a whole, and says nothing of the others.
    { weight: 40, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: requestText },
  );
const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

const sourceResource = fc.record({
  name: orAny('arn:aws:s3:::a', 'server 1', 'x'.repeat(1600)),
  description: optional(orAny('what it is', 'ü'.repeat(500))),
  statusDetail: optional(orAny('40 %', '😀'.repeat(2500))),
});

const hub = fc.record({
  task: optional(orAny('{job}', '{host}-{job}-{run}', '{date} {job}', 'a'.repeat(256))),
  resourceAttributes: fc.array(
    fc.record({
      type: fc.constantFrom('FQDN', 'IPV6_ADDRESS', 'VM_PATH', 'BIOS_ID'),
      value: orAny('files01.example.com', 'fe80::1', 'C:\\vm', 'y'.repeat(256)),
    }),
    { maxLength: 3 },
  ),
  discoveredResource: optional(orAny('d-server-1', 'z'.repeat(1600))),
  sourceResources: fc.array(sourceResource, { maxLength: 3 }),
  artifacts: fc.array(orAny('arn:aws:s3:::b/k', 'arn:aws:ec2:us-east-1:488216288981:image/a'), {
    maxLength: 3,
  }),
  application: optional(orAny('d-application-1', 'w'.repeat(1600))),
});

const file = fc.record({
  aws: fc.constant({ region: 'us-west-2' }),
  migrationHub: fc.record({
    progressUpdateStream: orAny('acme', 'ü — 😀', 's'.repeat(50)),
    nextUpdate: fc.constantFrom('1s', '5m', '1h'),
    finalNextUpdate: fc.constantFrom('1s', '365d', '24855d'),
  }),
  dataPipeline: fc.record({
    workerGroups: fc.uniqueArray(orAny('files', 'a b', 'ü', 'g'.repeat(1024)), {
      minLength: 1,
      maxLength: 3,
    }),
    taskRunnerId: optional(orAny('runner-1', 'r'.repeat(1024))),
    activities: fc.constant([{ match: {}, shell: true }]),
  }),
  jobs: fc.record({ job: fc.record({ command: fc.constant(['true']), migrationHub: hub }) }),
});

const STATES: readonly RunState[] = [
  'queued',
  'starting',
  'running',
  'canceling',
  'succeeded',
  'failed',
  'lost',
  'canceled',
  'fenced',
];

const runFacts = fc.record({
  state: fc.constantFrom(...STATES),
  /** Of a job of the pipeline's own shell text the name is the author's. */
  job: orAny('copy', 'df-1.Copy files'),
  number: fc.integer({ min: 1, max: 2 ** 31 }),
  percent: optional(fc.integer({ min: 0, max: 100 })),
  detail: optional(requestText),
  reason: optional(requestText),
  errorTail: optional(requestText),
  exitCode: optional(fc.integer({ min: 0, max: 255 })),
  stalled: fc.boolean(),
  cause: optional(fc.constantFrom('operator', 'service', 'timeout', 'fence', 'gone')),
  survivors: optional(fc.array(fc.nat(), { maxLength: 500 })),
  host: orAny('files01.example.com', 'h'.repeat(1024)),
});

type Facts = typeof runFacts extends fc.Arbitrary<infer Value> ? Value : never;

const AT = { wallMs: Date.UTC(2026, 0, 1), bootMs: 1000 };

function runOf(definition: JobDefinition, facts: Facts): Run {
  const { cause, ...rest } = facts;
  const known = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    id: `${facts.job}/${facts.number}`,
    definition,
    origin: 'operator',
    requestedAt: AT,
    spawn: 1,
    ...(Object.fromEntries(known) as typeof rest & { job: string }),
    ...(cause === undefined ? {} : { ending: { cause, detail: 'd', since: AT, graceMs: 1 } }),
  } as Run;
}

/** Every call that the agent makes of such a run, built as its reporters build them. */
function callsOf(settings: Settings, facts: Facts): Call[] {
  const definition = settings.jobs.get('job')!;
  const hub = definition.migrationHub!;
  const { migrationHub, dataPipeline } = settings;
  const run = runOf(definition, facts);
  const name = hubTaskName(hub.task, run, facts.host);
  const at = { region: 'eu-central-1', stream: migrationHub!.stream };
  const task = { ...at, task: name };
  const links = [...linksAtStart(hub), ...linksAtSuccess(hub)];
  return [
    { operation: 'CreateProgressUpdateStream', ...at },
    { operation: 'ImportMigrationTask', ...task },
    { operation: 'ImportMigrationTask', ...at, task: legalName(`${name}-${run.number}`) },
    {
      operation: 'NotifyMigrationTaskState',
      ...task,
      ...hubPayload(run),
      stampS: Math.floor(simulator.now() / 1000),
      nextUpdateS: nextUpdateS(migrationHub!, 100, settings.rates.NotifyMigrationTaskState),
    },
    {
      operation: 'NotifyMigrationTaskState',
      ...task,
      ...hubPayload(run),
      stampS: 1,
      nextUpdateS: finalNextUpdateS(migrationHub!),
    },
    { operation: 'ListMigrationTaskUpdates', ...task },
    ...links.map((link) =>
      link.operation === 'NotifyApplicationState'
        ? { ...link, region: at.region, stampS: 1 }
        : { ...link, ...task },
    ),
    ...dataPipeline!.workerGroups.map((workerGroup): Call => ({
      operation: 'PollForTask',
      workerGroup,
      hostname: facts.host,
    })),
    {
      operation: 'ReportTaskProgress',
      taskId: 'task',
      ...(run.percent === undefined ? {} : { percent: run.percent }),
      ...(run.detail === undefined ? {} : { detail: run.detail }),
    },
    finalTaskStatus(run, 'task'),
    {
      operation: 'ReportTaskRunnerHeartbeat',
      taskRunnerId: dataPipeline!.taskRunnerId ?? 'made-once',
      hostname: facts.host,
      workerGroup: dataPipeline!.workerGroups[0]!,
    },
  ];
}

/** A busy machine may let a call run into its time limit: nothing was judged then, and it is made again. */
async function answerTo(call: Call): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await services.send(call);
    if (outcome.kind !== 'unavailable' || attempt === 20) return outcome;
  }
}

const ANSWERED: readonly Outcome['kind'][] = ['accepted', 'missing', 'gone'];

test(
  `no request is refused as invalid (SEED=${SEED} RUNS=${RUNS})`,
  { timeout: 60_000 + RUNS * 2_000 },
  async () => {
    let sent = 0;
    let refusedFiles = 0;
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.array(runFacts, { minLength: 1, maxLength: 4 }),
        async (made, all) => {
          const text = JSON.stringify(made);
          const loaded = loadConfiguration({ file: 'f', text, environment: {}, hostname: 'h' });
          if (!loaded.ok) {
            refusedFiles++;
            return;
          }
          const calls = all.flatMap((facts) => callsOf(loaded.configuration.settings, facts));
          const outcomes = await Promise.all(calls.map((call) => answerTo(call)));
          sent += calls.length;
          const wrong = outcomes.flatMap((outcome, index) =>
            ANSWERED.includes(outcome.kind) ? [] : [[outcome, calls[index]]],
          );
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    process.stderr.write(
      `${sent} requests sent, ${refusedFiles} of ${RUNS} configurations refused\n`,
    );
    expect(simulator.audit().invalidRequests).toEqual({ count: 0, newest: [] });
    expect(sent).toBeGreaterThan(RUNS * 5);
  },
);

/** botocore's validator of the operation's input, by AWS's own model. */
const BOTOCORE = `
import json, sys
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
model = ServiceModel(Loader().load_service_model('mgh', 'service-2'), 'mgh')
for line in sys.stdin:
    operation, body = json.loads(line)
    report = ParamValidator().validate(body, model.operation_model(operation).input_shape)
    if report.has_errors(): print(operation, report.generate_report())
`;

test.skipIf(boto3Missing !== undefined)(
  `boto3 finds nothing wrong with the bodies of our own commands${boto3Missing === undefined ? '' : ` (skipped: ${boto3Missing})`}`,
  async () => {
    const own = ['AssociateSourceResource', 'ListMigrationTaskUpdates'];
    const lines = simulator
      .journal()
      .filter(({ operation }) => own.includes(operation))
      .map(({ operation, request }) => JSON.stringify([operation, request]));
    expect(lines.length).toBeGreaterThan(5);
    const child = promisify(execFile)('python3', ['-c', BOTOCORE], { env: awsEnvironment('') });
    child.child.stdin!.end(lines.join('\n'));
    expect((await child).stdout).toBe('');
  },
);
