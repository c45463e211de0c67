/** The daemon as a program: how it begins, ends, refuses and obeys. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { run } from '../cli/terminal-in-memory.ts';
import { LAUNCHER, createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

let site: Site;
afterEach(async () => {
  await site.close();
});

const HUB = 'migrationHub: { progressUpdateStream: test, createStream: true }';

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program. The simulator lives in this process, so it must not be waited for in a block. */
function agent(...message: string[]): Promise<Ended> {
  const env = {
    ...process.env,
    MIGRATION_AGENT_SOCKET: `${site.directory}/agent.sock`,
    NO_COLOR: '1',
  };
  return new Promise((resolve) => {
    execFile(LAUNCHER, message, { env, timeout: 100_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** A command in this process: how the program itself is started needs no further proof. */
function inProcess(...message: string[]): ReturnType<typeof run> {
  return run(message, { environment: { MIGRATION_AGENT_SOCKET: `${site.directory}/agent.sock` } });
}

test('a bad configuration: every problem with its place on stderr, exit code 78; a command then finds no daemon', async () => {
  site = await createSite(`jobs:\n  a: { comand: [x], timeout: 5 }`);
  const ended = await agent('daemon', '--config', site.configuration);
  expect(ended.status).toBe(78);
  expect(ended.stderr).toMatch(/config\.yaml:7:8 jobs\.a\.comand: .*did you mean "command"/);
  expect(ended.stderr).toMatch(/config\.yaml:7:30 jobs\.a\.timeout: /);
  // No daemon answers: exit code 4 and a message.
  const asked = await agent('status');
  expect(asked.status).toBe(4);
  expect(asked.stderr).toContain('agent.sock');
});

test('SIGTERM ends the agent with 0 and leaves its jobs running; the next agent finds them, and does not repeat what autostart ran', async () => {
  site = await createSite(`${HUB}
jobs:
  long: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.2; done; exit 3'] }
  once: { command: [sh, -c, 'echo x >> DIRECTORY/ran'], autostart: true }
`);
  const first = await site.start();
  await site.client.post('/v1/jobs/long/start');
  const running = await site.untilJob('long', (job) => job.state === 'running');
  await site.untilJob('once', isDelivered);
  expect(await first.end('SIGTERM')).toBe(0);
  expect(() => process.kill(running.pid ?? 0, 0)).not.toThrow();
  await site.start();
  const adopted = await site.untilJob('long', (job) => job.state === 'running');
  expect(adopted).toMatchObject({ pid: running.pid, run: 1 });
  writeFileSync(`${site.directory}/go`, '');
  expect(await site.job('once')).toMatchObject({ run: 1, state: 'succeeded' });
  expect(await site.untilJob('long', isDelivered)).toMatchObject({ state: 'failed', exitCode: 3 });
  expect(await site.job('once')).toMatchObject({ run: 1, state: 'succeeded' });
  expect(readFileSync(`${site.directory}/ran`, 'utf8')).toBe('x\n');
});

test('terminate of the service: drains, delivers what is pending, exits with 75', async () => {
  site = await createSite(`${HUB}
dataPipeline: { workerGroups: [wg], heartbeatEvery: 2s, activities: [{ match: { name: Copy }, job: copy }] }
jobs:
  copy: { command: [sleep, '3'] }
`);
  const daemon = await site.start();
  site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
  await site.untilJob('copy', (job) => job.state === 'running');
  site.simulator.setTerminate('all');
  await until('the agent has ended', () => daemon.process.exitCode !== null);
  expect(daemon.process.exitCode).toBe(75);
  expect(site.simulator.audit().dataPipeline.ended).toMatchObject({ FINISHED: 1 });
});

test('run, status, wait, cancel, logs and events as an operator types them; a second agent on the same state directory refuses to start', async () => {
  site = await createSite(HUB);
  await site.start();
  const started = await agent(
    'run',
    '--name',
    'adhoc',
    '--progress',
    'percent',
    '--',
    'sh',
    '-c',
    'echo 40%; sleep 60',
  );
  expect(started.status).toBe(0);
  await site.untilJob('adhoc', (job) => job.percent === 40);
  expect((await agent('status')).stdout).toMatch(/adhoc\s+running.*40/);
  expect((await inProcess('status', 'nobody')).code).toBe(3);
  expect(JSON.parse((await inProcess('status', '--json')).stdout)).toMatchObject({
    schema: 1,
    jobs: [{ name: 'adhoc', state: 'running', percent: 40 }],
  });
  expect((await agent('cancel', 'adhoc')).status).toBe(0);
  expect((await agent('wait', 'adhoc', '--for', 'delivered')).status).toBe(1);
  expect((await inProcess('events', 'adhoc')).stdout).toMatch(/tree/);
  expect((await inProcess('logs', 'adhoc')).stdout).toContain('40%');
  expect((await agent('frobnicate')).status).toBe(2);
  const second = await agent('daemon', '--config', site.configuration);
  expect(second.status).toBe(1);
  expect(second.stdout).toContain('another migration-agent uses');
});

test('SIGHUP applies a good file and refuses a bad one; running jobs are untouched', async () => {
  site = await createSite(`${HUB}
jobs:
  long: { command: [sleep, '60'] }
`);
  const daemon = await site.start();
  await site.client.post('/v1/jobs/long/start');
  const before = await site.untilJob('long', (job) => job.state === 'running');
  const text = readFileSync(site.configuration, 'utf8');
  writeFileSync(site.configuration, `${text}  added: { command: [echo, hello] }\n`);
  daemon.process.kill('SIGHUP');
  await until('the new job is there', async () => {
    const { jobs } = await site.status();
    return jobs.some((job) => job.name === 'added');
  });
  writeFileSync(site.configuration, `${text}  broken: { comand: 1 }\n`);
  daemon.process.kill('SIGHUP');
  await until('the refusal is logged', () =>
    site.log().some((line) => line['event'] === 'config.refused'),
  );
  await site.client.post('/v1/jobs/added/start');
  expect(await site.untilJob('added', isDelivered)).toMatchObject({ state: 'succeeded' });
  expect(await site.job('long')).toMatchObject({ state: 'running', pid: before.pid });
  expect((await inProcess('cancel', 'long')).code).toBe(0);
});
