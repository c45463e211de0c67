/**
 * `migration-agent demo`: a real agent, the simulator in place of AWS, real jobs on real files. One job is canceled
 * by the service, one fails, one is carried through an outage; at the end the simulator says what AWS saw.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Status } from '../core/status.ts';
import { createSimulator } from '../simulator/simulator.ts';
import type { Simulator } from '../simulator/simulator.ts';
import { NoDaemon, createClient } from './client.ts';
import type { Client } from './client.ts';
import { action, newCommand } from './command.ts';
import { makeDemoWorld } from './demo-files.ts';
import type { Copier } from './demo-files.ts';
import { createDemoScreen } from './demo-screen.ts';
import type { DemoScreen } from './demo-screen.ts';
import { summarize } from './demo-summary.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { processTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { hasEnded, isSettled } from './waiting.ts';

const LAUNCHER = fileURLToPath(new URL('../migration-agent', import.meta.url));
const COPY_PROGRAM = fileURLToPath(new URL('demo-copy.ts', import.meta.url));
const JOBS = 4;
const REDRAW_MS = 250;
const OUTAGE_S = 12;
/** Far longer than the demo takes: something hangs. */
const DEMO_MS_MAX = 180_000;

export function demoCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'demo',
    {
      description: 'show the agent at work on real files against simulated services (a minute)',
      example: 'migration-agent demo',
    },
    terminal,
  ).action(action(terminal, () => runDemo(terminal)));
}

export async function runDemo(terminal: Terminal): Promise<ExitCode> {
  const beganAt = performance.now();
  const screen = createDemoScreen(terminal, () => performance.now() - beganAt);
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-demo-'));
  const simulator = createSimulator({ homeRegion: 'eu-central-1' });
  let agent: ChildProcess | undefined;
  try {
    const { url } = await simulator.listen(0);
    // The Hub's home region is not where Data Pipeline is: the agent has to ask for it.
    const copier = chooseCopier();
    const world = makeDemoWorld(directory, url, copier);
    agent = startAgent(world.configuration, world.log);
    const client = createClient(world.socket);
    await untilAnswering(client, agent);
    screen.say(
      `the agent runs (pid ${agent.pid}); AWS is simulated at ${url}; jobs copy by ${copier.name}`,
    );

    const play = perform(client, simulator, screen);
    const status = await watch(client, screen, play);
    screen.end();
    const summary = summarize(simulator.audit(), status.jobs);
    const seconds = Math.round((performance.now() - beganAt) / 1000);
    terminal.stdout.write(`\n${summary.text}\n(${seconds} s)\n`);
    return summary.isAsPromised ? EXIT.ok : EXIT.jobFailed;
  } finally {
    await stopAgent(agent);
    await simulator.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What the operator, the pipelines' owner and the network do, one after the other. */
async function perform(client: Client, simulator: Simulator, screen: DemoScreen): Promise<void> {
  const submit = (name: string): string =>
    simulator.submitShellActivity({ name, workerGroup: 'demo-host', command: 'see the host' })
      .pipelineId;

  screen.say('operator: start photos');
  await client.post('/v1/jobs/photos/start');
  screen.say('Data Pipeline: activity MoveArchive waits for a runner');
  submit('MoveArchive');
  await sleep(2_000);
  screen.say('Data Pipeline: activity MoveMail waits for a runner');
  const mail = submit('MoveMail');
  await sleep(3_000);
  screen.say('operator: start invoices (one of the files is damaged)');
  await client.post('/v1/jobs/invoices/start');

  await sleep(13_000);
  screen.say('Data Pipeline: the owner cancels MoveMail; the next report will learn of it');
  simulator.cancel(mail);

  await sleep(9_000);
  screen.say(`network: AWS is out of reach for ${OUTAGE_S} s; the jobs go on`);
  simulator.addFault({ operation: '*', fault: 'drop', for: `${OUTAGE_S}s` });
  await sleep(OUTAGE_S * 1000);
  screen.say('network: AWS is back');
}

/** Shows the status until everything has ended and is delivered; the last status is the answer. */
async function watch(client: Client, screen: DemoScreen, play: Promise<void>): Promise<Status> {
  const until = performance.now() + DEMO_MS_MAX;
  const played: { isOver?: true; failure?: Error } = {};
  const end = play.then(
    () => (played.isOver = true),
    (error: unknown) => (played.failure = error as Error),
  );
  for (;;) {
    const status = await client.get<Status>('/v1/status');
    screen.show(status);
    const done = status.jobs.filter((job) => hasEnded(job) && isSettled(job)).length;
    if (played.failure !== undefined) throw played.failure;
    if ((played.isOver === true && done === JOBS) || performance.now() > until) {
      await end;
      return status;
    }
    await sleep(REDRAW_MS);
  }
}

function chooseCopier(): Copier {
  if (spawnSync('rsync', ['--version'], { stdio: 'ignore' }).status === 0) {
    return {
      name: 'rsync',
      parser: 'rsync',
      command: (source, target, kibPerSecond) => [
        'rsync',
        '-a',
        '--info=progress2',
        '--no-inc-recursive',
        // Else a tree as small as this one is gone in a moment.
        `--bwlimit=${kibPerSecond}`,
        source,
        target,
      ],
    };
  }
  return {
    name: 'a script that prints JSON lines (rsync is not installed)',
    parser: 'json',
    command: (source, target, kibPerSecond) => [
      process.execPath,
      COPY_PROGRAM,
      source,
      target,
      String(kibPerSecond),
    ],
  };
}

function startAgent(configuration: string, log: string): ChildProcess {
  const output = openSync(log, 'a');
  return spawn(LAUNCHER, ['daemon', '--config', configuration], {
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
}

async function untilAnswering(client: Client, agent: ChildProcess): Promise<void> {
  for (;;) {
    try {
      await client.get('/v1/status');
      return;
    } catch (error) {
      if (!(error instanceof NoDaemon)) throw error;
      if (agent.exitCode !== null)
        throw new Error(`the agent ended with ${agent.exitCode}`, { cause: error });
    }
    await sleep(50);
  }
}

async function stopAgent(agent: ChildProcess | undefined): Promise<void> {
  if (agent?.exitCode !== null || agent.signalCode !== null) return;
  agent.kill('SIGTERM');
  await once(agent, 'exit');
}
