/** What a report costs the whole agent in CPU time, against the SDK alone and against the tools that people use by hand. */
import { spawnSync } from 'node:child_process';
import { AWS_ENVIRONMENT, daemonFlags, runProgram, startProgram } from './program.ts';
import { amount } from './figure.ts';
import type { Benchmark, Figure } from './figure.ts';
import type { Delivery, DeliveryOptions } from './cpu-window.ts';
import { median, paired } from './rounds.ts';
import { awsMissing } from '../support/aws-command.ts';
import { boto3Missing } from '../support/boto3.ts';

const TARGET_RATIO = 1.1;
const ROUNDS = 3;
/** As many calls at a time as the agent's pacing allows (IN_FLIGHT_MAX in src/core/scheduling/pacing.ts). */
const CONCURRENCY = 32;
const WARM = 1000;
const COUNT = 2000;
const COMMAND_CALLS = 3;

export const delivery: Benchmark = {
  name: 'delivery',
  method: `CPU time (user and system, all threads) of a process for each accepted NotifyMigrationTaskState, ${COUNT} of them after
${WARM} that are not counted, against a stub server in a process of its own that answers \`{}\`. The agent is the real one
(loop, SQLite store on a real disk, gates, services, log) with Node's flags as in its launcher; its jobs only stand there, and
each has a report due. The bare SDK client sends the same reports, ${CONCURRENCY} at a time as the agent does. \`aws\` is the
command in a loop, a process a call (${COMMAND_CALLS} calls); boto3 is one client in a loop. Their ratios are against the agent.`,
  async run() {
    const stub = startProgram('stub', {});
    try {
      const { url } = await stub.next<{ readonly url: string }>();
      return await figuresAgainst(url);
    } finally {
      await stub.end();
    }
  },
};

async function figuresAgainst(url: string): Promise<Figure[]> {
  const options: DeliveryOptions = { url, warm: WARM, count: COUNT, concurrency: CONCURRENCY };
  const agent: Delivery[] = [];
  const sdk: Delivery[] = [];
  const cpu = await paired(
    ROUNDS,
    async () => cpuOf(agent, await runProgram('agent-reports', options, daemonFlags())),
    async () => cpuOf(sdk, await runProgram('sdk-loop', options)),
  );
  const [agentUs, sdkUs] = [agent, sdk].map((all) => median(all.map((one) => one.wallUs)));
  return [
    {
      name: 'CPU a report, agent',
      measured: amount(cpu.measured / 1000, 'ms'),
      baseline: `${amount(cpu.baseline / 1000, 'ms')} (bare SDK loop)`,
      ratio: cpu.ratio,
      target: `≤ ${TARGET_RATIO}×`,
      isMet: cpu.ratio <= TARGET_RATIO,
    },
    {
      name: 'time a report when all are due, agent',
      measured: amount((agentUs ?? NaN) / 1000, 'ms'),
      baseline: `${amount((sdkUs ?? NaN) / 1000, 'ms')} (bare SDK loop)`,
      ratio: (agentUs ?? NaN) / (sdkUs ?? NaN),
    },
    tool('CPU a report, `aws mgh notify-migration-task-state`', cpu.measured, awsUs(url)),
    tool('CPU a report, boto3 loop', cpu.measured, boto3Us(url)),
  ];
}

function cpuOf(all: Delivery[], one: Delivery): number {
  all.push(one);
  return one.cpuUs;
}

/** In place of a time: why there is none. */
function tool(name: string, agentUs: number, us: number | string): Figure {
  if (typeof us === 'string') return { name, measured: `skipped: ${us}` };
  return {
    name,
    measured: amount(us / 1000, 'ms'),
    baseline: `${amount(agentUs / 1000, 'ms')} (agent)`,
    ratio: us / agentUs,
  };
}

const REPORT = [
  '--progress-update-stream test-stream --migration-task-name migration-1',
  '--task Status=IN_PROGRESS,ProgressPercent=40,StatusDetail=copying',
  '--update-date-time 2026-01-01T00:00:00Z --next-update-seconds 300',
].join(' ');

function awsUs(url: string): number | string {
  if (awsMissing !== undefined) return awsMissing;
  const loop = `TIMEFORMAT='%3U %3S'; time for i in $(seq ${COMMAND_CALLS}); do aws mgh notify-migration-task-state ${REPORT} >&2 || exit 1; done`;
  const { status, stderr } = spawnSync('bash', ['-c', loop], {
    env: environment(url),
    encoding: 'utf8',
  });
  if (status !== 0) return `aws or bash failed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  const [userS, systemS] = stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  return (((userS ?? NaN) + (systemS ?? NaN)) * 1e6) / COMMAND_CALLS;
}

const BOTO3_LOOP = `
import boto3, datetime, time
client = boto3.client('mgh')
def send(count):
    for i in range(count):
        client.notify_migration_task_state(
            ProgressUpdateStream='test-stream', MigrationTaskName='migration-%d' % i,
            Task={'Status': 'IN_PROGRESS', 'ProgressPercent': i % 99, 'StatusDetail': 'copying volume %d' % i},
            UpdateDateTime=datetime.datetime.now(datetime.timezone.utc), NextUpdateSeconds=300)
send(100)
begin = time.process_time()
send(500)
print((time.process_time() - begin) / 500 * 1e6)
`;

function boto3Us(url: string): number | string {
  if (boto3Missing !== undefined) return boto3Missing;
  const { status, stdout, stderr } = spawnSync('python3', ['-c', BOTO3_LOOP], {
    env: environment(url),
    encoding: 'utf8',
  });
  if (status !== 0) return `boto3 failed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  return Number(stdout);
}

function environment(url: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...AWS_ENVIRONMENT,
    AWS_ENDPOINT_URL: url,
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_PAGER: '',
  };
}
