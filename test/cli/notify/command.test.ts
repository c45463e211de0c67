/** `notify` beside the real `aws mgh notify-migration-task-state`: the same options make the same request. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok, setEnvironment, startStub } from '../../aws/aws-stub.ts';
import type { Stub } from '../../aws/aws-stub.ts';
import { awsEnvironment } from '../../support/aws-environment.ts';
import { AwsCommand, awsMissing } from '../../support/aws-command.ts';
import { createSimulator } from '../../../src/simulator/simulator.ts';
import { run } from '../terminal-in-memory.ts';
import type { Result } from '../terminal-in-memory.ts';

const aws = new AwsCommand();
afterAll(() => aws.close());

let stub: Stub;
let directory: string;
beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  directory = await mkdtemp(join(tmpdir(), 'notify-'));
});
afterEach(async () => {
  await stub.close();
  await rm(directory, { recursive: true });
});

const WHOLE = [
  '--progress-update-stream',
  'acme — ü',
  '--migration-task-name',
  'files@1',
  '--task',
  'Status=IN_PROGRESS,StatusDetail="a, \\"b\\" 😀",ProgressPercent=40',
  '--update-date-time',
  '1790000000',
  '--next-update-seconds',
  '300',
];
const ENVIRONMENT = { AWS_REGION: 'eu-central-1' };

function notify(
  message: readonly string[],
  environment: NodeJS.ProcessEnv = ENVIRONMENT,
): Promise<Result> {
  return run(['notify', '--endpoint-url', stub.url, ...message], { environment });
}

/** `WHOLE` with one option's value changed, or the option taken out. */
function changed(option: string, value?: string): string[] {
  const at = WHOLE.indexOf(option);
  const message = [...WHOLE];
  message.splice(at, 2, ...(value === undefined ? [] : [option, value]));
  return message;
}

const SAME: Readonly<Record<string, readonly string[]>> = {
  'shorthand with quotes': WHOLE,
  'a dry run': [...WHOLE, '--dry-run'],
  'no dry run': [...WHOLE, '--no-dry-run'],
  'shorthand with blanks': changed('--task', 'Status = FAILED , StatusDetail = its  a=b \\, c '),
  'single quotes': changed('--task', "Status='COMPLETED',StatusDetail='it\\'s \\\\ so'"),
  'a detail that is empty': changed('--task', 'Status=FAILED,StatusDetail='),
  JSON: changed('--task', '{"Status":"NOT_STARTED","StatusDetail":" ä ","ProgressPercent":0}'),
  'a fraction of a second': changed('--update-date-time', '1790000000.9'),
  'ISO 8601': changed('--update-date-time', '2026-09-21T14:13:20.7+02:00'),
  'ISO 8601, basic form': changed('--update-date-time', '20260921T141320Z'),
  'a local time': changed('--update-date-time', '2026-09-21 14:13:20'),
  'a date': changed('--update-date-time', '2026-09-21'),
  'RFC 822': changed('--update-date-time', 'Mon, 21 Sep 2026 14:13:20 GMT'),
  'JSON for all': [
    '--cli-input-json',
    JSON.stringify({
      ProgressUpdateStream: 's',
      MigrationTaskName: 't',
      Task: { Status: 'IN_PROGRESS', ProgressPercent: 7 },
      UpdateDateTime: 1_790_000_001,
      NextUpdateSeconds: 60,
      DryRun: false,
    }),
  ],
  'options over JSON': [
    ...changed('--next-update-seconds'),
    '--cli-input-json',
    '{"MigrationTaskName":"other","NextUpdateSeconds":9,"DryRun":true}',
  ],
};

/** Each asks the aws command, too: `TOUR=1` (`npm run test:tour`) compares all, `npm test` two. */
const COMPARED = Object.keys(SAME).filter(
  (name, index) => process.env['TOUR'] !== undefined || index < 1 || name === 'options over JSON',
);

test.skipIf(awsMissing !== undefined).each(COMPARED)(
  `sends what the aws command sends: %s${awsMissing === undefined ? '' : ` (skipped: ${awsMissing})`}`,
  async (name) => {
    const message = SAME[name]!;
    expect(await notify(message)).toMatchObject({ code: 0, stdout: '' });
    const theirCommand = ['mgh', 'notify-migration-task-state', ...message];
    expect(await aws.run(theirCommand, awsEnvironment(stub.url, 'eu-central-1'))).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(stub.requests).toHaveLength(2);
    const [ours, theirs] = stub.requests;
    expect(ours!.body).toEqual(theirs!.body);
    expect(ours!.target).toBe(theirs!.target);
    expect(ours!.headers.authorization).toContain('/eu-central-1/mgh/');
  },
);

test('file:// names a file, for the task and for the whole input', async () => {
  const task = join(directory, 'task.json');
  const whole = join(directory, 'whole.json');
  await writeFile(task, '{"Status":"COMPLETED"}');
  await writeFile(whole, '{"ProgressUpdateStream":"s","MigrationTaskName":"t"}');
  const message = ['--update-date-time', '1', '--next-update-seconds', '2'];
  const both = ['--task', `file://${task}`, '--cli-input-json', `file://${whole}`, ...message];
  expect((await notify(both)).code).toBe(0);
  expect(stub.requests[0]!.body).toEqual({
    ProgressUpdateStream: 's',
    MigrationTaskName: 't',
    Task: { Status: 'COMPLETED' },
    UpdateDateTime: 1,
    NextUpdateSeconds: 2,
  });
});

test('the text is made legal and its secrets are masked', async () => {
  const detail = `line\n\u001b[31mred\u001b[0m password=hunter2 ${'😀'.repeat(2500)}`;
  await notify(changed('--task', JSON.stringify({ Status: 'FAILED', StatusDetail: detail })));
  const { StatusDetail: sent } = stub.requests[0]!.body['Task'] as { StatusDetail: string };
  expect(sent).toMatch(/^line red password=\*\*\* 😀/);
  expect(Array.from(sent)).toHaveLength(2500);
});

describe('wrong usage ends with 2, before anything is sent', () => {
  test.each([
    ['--task', undefined, 'missing: --task'],
    ['--migration-task-name', undefined, 'missing: --migration-task-name'],
    ['--migration-task-name', 'a:b', '--migration-task-name: must not hold : or |'],
    ['--progress-update-stream', 'x'.repeat(51), '--progress-update-stream: has 1 to 50'],
    ['--task', 'Status=DONE', '--task Status: '],
    ['--task', 'Status=FAILED,Status=FAILED', 'Status is there twice'],
    ['--task', 'Status=FAILED,ProgressPercent=101', '--task ProgressPercent: must be 100 at most'],
    ['--task', 'Status=FAILED,ProgressPercent=4.5', '--task ProgressPercent: expected a whole'],
    ['--task', 'Status=FAILED,Foo=1', 'Foo'],
    ['--task', 'Status', 'expected = at character 7'],
    ['--task', 'Status="FAILED', 'expected a closing quote'],
    ['--task', 'Status=FAILED,StatusDetail=a,b', 'expected ='],
    ['--task', '{"Status":', '--task: this is no JSON'],
    ['--task', 'file:///nonexistent/x', 'cannot be read'],
    ['--update-date-time', 'yesterday', '--update-date-time: expected seconds since 1970'],
    ['--next-update-seconds', '-1', '--next-update-seconds: must not be negative'],
    ['--next-update-seconds', '2147483648', 'must be 2147483647 at most'],
  ])('%s %s', async (option, value, message) => {
    const result = await notify(changed(option, value));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(stub.requests).toHaveLength(0);
  });
});

describe('answers of the service', () => {
  test('DryRunOperation is success', async () => {
    stub.answer = fail(400, 'DryRunOperation');
    const { code, stderr } = await notify([...WHOLE, '--dry-run']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('DryRunOperation') as string]);
  });

  test.each([
    ['UnauthorizedOperation', 'allow mgh:NotifyMigrationTaskState on arn:aws:mgh:eu-central-1:*:'],
    ['ResourceNotFoundException', 'ImportMigrationTask come first'],
    ['InvalidInputException', 'InvalidInputException said'],
  ])('%s is a failure: exit code 1, its name and a remedy', async (name, message) => {
    stub.answer = fail(400, name);
    const { code, stderr } = await notify([...WHOLE, '--dry-run']);
    expect(code).toBe(1);
    expect(stderr).toContain(name);
    expect(stderr).toContain(message);
    expect(stub.requests).toHaveLength(1);
  });

  test('a failure that may pass is tried again, three times in all', async () => {
    stub.answer = (response, request) => {
      const answer = stub.requests.length < 2 ? fail(500, 'InternalServerError') : ok({});
      answer(response, request);
    };
    expect((await notify(WHOLE)).code).toBe(0);
    expect(stub.requests).toHaveLength(2);
  });
});

describe('the region', () => {
  const regionOf = (index: number): string | undefined =>
    /\d{8}\/([^/]+)\//u.exec(stub.requests[index]?.headers.authorization ?? '')?.[1];

  test('is --region, or that of the environment, or the home region', async () => {
    await notify([...WHOLE, '--region', 'us-east-1']);
    await notify(WHOLE, { AWS_DEFAULT_REGION: 'ap-northeast-1' });
    stub.answer = ok({ HomeRegion: 'eu-west-1' });
    await notify(WHOLE, {});
    expect([0, 1, 2, 3].map(regionOf)).toEqual([
      'us-east-1',
      'ap-northeast-1',
      'us-west-2',
      'eu-west-1',
    ]);
    expect(stub.requests[2]!.target).toContain('GetHomeRegion');
  });

  test('is the home region where a configuration has Migration Hub, whatever else it names', async () => {
    const file = join(directory, 'config.yaml');
    await writeFile(
      file,
      `aws: { region: us-west-2, endpoints: { migrationHub: "${stub.url}", migrationHubConfig: "${stub.url}" } }
migrationHub: { progressUpdateStream: s }\n`,
    );
    stub.answer = ok({ HomeRegion: 'eu-west-1' });
    const message = ['notify', '--config', file, ...WHOLE];
    expect((await run(message, { environment: ENVIRONMENT })).code).toBe(0);
    expect(regionOf(1)).toBe('eu-west-1');
    await writeFile(file, 'migrationHub: { progressUpdateStreem: s }\n');
    const broken = await run(message, { environment: ENVIRONMENT });
    expect([broken.code, broken.stderr]).toEqual([
      78,
      expect.stringContaining('config.yaml:1:17') as string,
    ]);
  });
});

test('the skeleton is that of the aws command, and can be used as input', async () => {
  const { stdout } = await notify(['--generate-cli-skeleton']);
  expect(await notify(['--generate-cli-skeleton', 'input'])).toMatchObject({ code: 0, stdout });
  expect(await notify([...WHOLE, '--generate-cli-skeleton', 'output'])).toMatchObject({
    code: 0,
    stdout: '{}\n',
  });
  expect((await notify(['--generate-cli-skeleton', 'output'])).code).toBe(2);
  expect((await notify(['--generate-cli-skeleton', 'yaml'])).code).toBe(2);
  const used = await notify(['--cli-input-json', stdout, ...WHOLE]);
  expect(used.code).toBe(0);
  expect(stub.requests).toHaveLength(1);
  if (awsMissing !== undefined) return;
  const message = ['mgh', 'notify-migration-task-state', '--generate-cli-skeleton'];
  const theirs = await aws.run(message, awsEnvironment(stub.url));
  // It picks any of the states.
  const any = expect.any(String) as string;
  const skeleton = JSON.parse(stdout) as { Task: object };
  expect(JSON.parse(theirs.stdout)).toEqual({
    ...skeleton,
    Task: { ...skeleton.Task, Status: any },
  });
});

test('a whole report to the simulator, dry and real', async () => {
  const simulator = createSimulator({ homeRegion: 'eu-central-1' });
  const { url } = await simulator.listen(0);
  const send = (target: string, body: object) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'x-amz-target': `AWSMigrationHub.${target}`,
        'content-type': 'application/x-amz-json-1.1',
      },
      body: JSON.stringify(body),
    });
  await send('CreateProgressUpdateStream', { ProgressUpdateStreamName: 's' });
  await send('ImportMigrationTask', { ProgressUpdateStream: 's', MigrationTaskName: 't' });
  const message = [
    'notify',
    '--endpoint-url',
    url,
    '--progress-update-stream',
    's',
    '--migration-task-name',
    't',
  ];
  const rest = [
    '--task',
    'Status=COMPLETED',
    '--update-date-time',
    '1790000000',
    '--next-update-seconds',
    '0',
  ];
  const dry = await run([...message, ...rest, '--dry-run']);
  expect(dry).toMatchObject({ code: 0 });
  expect(JSON.stringify(simulator.state())).not.toContain('COMPLETED');
  expect(await run([...message, ...rest])).toMatchObject({ code: 0 });
  expect(JSON.stringify(simulator.state())).toContain('COMPLETED');
  await simulator.close();
});
