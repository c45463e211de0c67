/**
 * `migration-agent demo`: a real agent, the simulator in place of AWS, real jobs on real files. One job is canceled
 * by the service, one fails, one is carried through an outage; at the end the simulator says what AWS saw.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TimelineEntryDocument } from '../../control/routes/timeline-entry.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { checkoutLauncher } from '../launcher.ts';
import { createClient, jobPath } from '../client/client.ts';
import type { Client } from '../client/client.ts';
import { startAgent, stopAgent, untilAnswering } from './agent-process.ts';
import { chooseCopier } from './copier.ts';
import { makeDemoWorld } from './files.ts';
import { play } from './script.ts';
import { createDemoScreen } from './screen.ts';
import { runScenarios } from './stories.ts';
import { summarize } from './summary.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { print, widthOf } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

export async function runDemo(terminal: Terminal): Promise<ExitCode> {
  const interruption = new AbortController();
  // Stays for the whole clean-up: a second Ctrl-C must not leave half of it behind.
  const interrupt = (): void => interruption.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await perform(terminal, interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    print(terminal, 'interrupted; the agent, its jobs and their files are gone');
    return EXIT.interrupted;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function perform(terminal: Terminal, interrupted: AbortSignal): Promise<ExitCode> {
  const beganAtMs = Date.now();
  const screen = createDemoScreen(terminal, () => Date.now() - beganAtMs);
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-demo-'));
  // The Hub's home region is not where Data Pipeline is: the agent has to ask for it.
  const simulator = createSimulator({ homeRegion: 'eu-central-1' });
  let agent: ChildProcess | undefined;
  let client: Client | undefined;
  try {
    const { url } = await simulator.listen(0);
    const copier = chooseCopier();
    const world = makeDemoWorld(directory, url, copier);
    client = createClient(world.socket);
    agent = startAgent(world);
    await untilAnswering(client, agent, world, interrupted);
    screen.print('agent', `runs as pid ${agent.pid}; AWS is simulated at ${url}`);
    if (copier.parser !== 'rsync') screen.print('agent', `its jobs copy by ${copier.name}`);

    const played = await play({ client, simulator, screen, interrupted });
    screen.end();
    const timelines = await readTimelines(client, played.status.jobs);
    const width = widthOf(terminal.stdout);
    const summary = summarize(simulator.audit(), played.status.jobs, width);
    const stories = runScenarios(timelines, played, beganAtMs, width);
    const seconds = Math.round((Date.now() - beganAtMs) / 1000);
    terminal.stdout.write(`\n${stories}\n\n${summary.text}\n(${seconds} s)\n\n${whatNext()}\n`);
    return summary.isAsPromised ? EXIT.ok : EXIT.jobFailed;
  } finally {
    simulator.clearFaults();
    if (client !== undefined && agent !== undefined) await stopAgent(client, agent);
    await simulator.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function readTimelines(
  client: Client,
  jobs: readonly { readonly name: string }[],
): Promise<ReadonlyMap<string, readonly TimelineEntryDocument[]>> {
  const timelines = new Map<string, readonly TimelineEntryDocument[]>();
  for (const { name } of jobs) {
    const { events } = await client.get<{ events: TimelineEntryDocument[] }>(
      jobPath(name, '/events?limit=1000'),
    );
    timelines.set(name, events);
  }
  return timelines;
}

function whatNext(): string {
  const [dev, program] =
    checkoutLauncher() === undefined
      ? ['migration-agent dev', 'migration-agent']
      : ['npm run dev', 'npm run agent --'];
  return `What to try next:
  ${dev}   an agent of your own with simulated AWS and a status page
  ${program} completion bash   completion for your shell (bash, zsh or fish)
  ${program} --help   all commands`;
}
