/**
 * Real clients against the simulator: boto3 calls every operation, and the aws command, which takes most of a second for a
 * call, a sample of them. With `npm run test:tour` the aws command calls every operation as well.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { awsEnvironment } from '../support/aws-environment.ts';
import { AwsCommand, awsMissing } from '../support/aws-command.ts';
import { boto3Missing } from '../support/boto3.ts';
import { HUB_STEPS, PIPELINE_STEPS } from './tour/aws-steps.ts';
import type { Step } from './tour/aws-steps.ts';

const run = promisify(execFile);
const aws = new AwsCommand();
afterAll(() => aws.close());
const isWholeTour = process.env['TOUR'] !== undefined;
/** The operations of the sample, with valid and invalid input. */
const SAMPLE = new Set(['GetHomeRegion', 'CreateProgressUpdateStream']);

let simulator: Simulator;
let url: string;
let directory: string;
beforeEach(async () => {
  simulator = createSimulator({ enforceLimits: false });
  ({ url } = await simulator.listen(0));
  directory = await mkdtemp(join(tmpdir(), 'simulator-tools-'));
});
afterEach(async () => {
  await simulator.close();
  await rm(directory, { recursive: true });
});

function skipped(why: string | undefined): string {
  return why === undefined ? '' : ` (skipped: ${why})`;
}

test.skipIf(boto3Missing !== undefined)(
  `boto3 calls every operation, and every answer fits the service model${skipped(boto3Missing)}`,
  { timeout: 300_000 },
  async () => {
    const script = new URL('tour/boto3_tour.py', import.meta.url).pathname;
    // -B: no compiled files beside the sources.
    const { stdout } = await run('python3', ['-B', script], { env: awsEnvironment(url) });
    const answer = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(answer).toMatchObject({
      findings: [],
      notToured: [],
      onlyBad: [],
      // It takes no input and has one state: only fault rules cause its errors.
      onlyGood: ['GetHomeRegion'],
    });
    expect(answer['calls']).toBeGreaterThan(450);
  },
);

test.skipIf(awsMissing !== undefined)(
  `the aws command calls ${isWholeTour ? 'every operation' : 'a sample of the operations'}${skipped(awsMissing)}`,
  { timeout: 300_000 },
  async () => {
    const values = new Map<string, string>([
      // The name is too long: the client itself refuses one that is too short.
      ['long', 'x'.repeat(1_025)],
      ['definition', join(directory, 'definition.json')],
      ['wrong', join(directory, 'wrong.json')],
    ]);
    await writeFile(values.get('definition') ?? '', JSON.stringify(DEFINITION));
    await writeFile(values.get('wrong') ?? '', JSON.stringify(WRONG));
    const all = [...HUB_STEPS, ...PIPELINE_STEPS];
    const steps = isWholeTour ? all : sample(all);
    for (const step of steps) await take(step, values);
    if (!isWholeTour) return;
    const good = new Set(
      all.filter((each) => each.expected === 'ok').map((each) => each.operation),
    );
    const bad = new Set(all.filter((each) => each.expected !== 'ok').map((each) => each.operation));
    const served = simulator.gateway.targets.map((target) => target.split('.')[1]);
    expect(served.filter((each) => !good.has(each ?? ''))).toEqual([]);
    expect(served.filter((each) => !bad.has(each ?? ''))).toEqual(['GetHomeRegion']);
  },
);

/** The first step with valid input and the first with invalid input of each operation of the sample. */
function sample(steps: readonly Step[]): readonly Step[] {
  const seen = new Set<string>();
  return steps.filter(({ operation, expected }) => {
    const key = `${operation} ${expected === 'ok' ? 'good' : 'bad'}`;
    if (!SAMPLE.has(operation) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

async function take(step: Step, values: Map<string, string>): Promise<void> {
  const words = [...filled(step.args, values).matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? '',
  );
  const { code, stdout, stderr } = await aws.run(
    [...words, '--output', 'json'],
    awsEnvironment(url),
  );
  const answer = stdout.trim() === '' ? {} : (JSON.parse(stdout) as unknown);
  const outcome = code === 0 ? { name: 'ok', answer } : { name: stderr, answer: {} };
  const where = `aws ${step.args}`;
  if (step.expected === 'ok') expect(outcome.name, where).toBe('ok');
  else expect(outcome.name, where).toContain(`(${step.expected})`);
  if (step.answer !== undefined) {
    const wanted: unknown = JSON.parse(filled(JSON.stringify(step.answer), values));
    expect(outcome.answer, where).toMatchObject(wanted as object);
  }
  const entry = simulator.journal().at(-1);
  expect([entry?.operation, entry?.outcome, entry?.status], where).toEqual([
    step.operation,
    step.expected,
    step.expected === 'ok' ? 200 : 400,
  ]);
  learn(outcome.answer, values);
}

function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/(?<!#)\{([a-z]+)\}/g, (whole, name: string) => values.get(name) ?? whole);
}

/** Ids for later steps. */
function learn(answer: unknown, values: Map<string, string>): void {
  const { pipelineId, taskObject, HomeRegionControl } = answer as {
    readonly pipelineId?: string;
    readonly taskObject?: { readonly taskId: string; readonly attemptId: string };
    readonly HomeRegionControl?: { readonly ControlId: string };
  };
  if (pipelineId !== undefined) values.set('pipeline', pipelineId);
  if (HomeRegionControl !== undefined) values.set('control', HomeRegionControl.ControlId);
  if (taskObject !== undefined) {
    values.set('task', taskObject.taskId);
    values.set('instance', taskObject.attemptId.replace(/_Attempt=\d+$/, ''));
  }
}

const DEFINITION = {
  objects: [
    { id: 'Default', name: 'Default', scheduleType: 'ondemand' },
    {
      id: 'Copy',
      name: 'Copy',
      type: 'ShellCommandActivity',
      workerGroup: 'files',
      command: 'echo $1',
      scriptArgument: ['a', 'b'],
    },
  ],
};

const WRONG = [
  { id: 'Copy', name: 'Copy', fields: [{ key: 'type', stringValue: 'ShellCommandActivity' }] },
];
