/** `migration-agent simulate`: the three services on 127.0.0.1, for tests and demonstrations. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { simulatorQueries } from './queries.ts';
import { readSwitches } from '../../simulator/lib/behaviour.ts';
import type { Behaviour } from '../../simulator/lib/behaviour.ts';
import { FaultFileError, parseFaultFile } from '../../simulator/faults/file.ts';
import type { FaultScript } from '../../simulator/faults/file.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import type { Simulator, SimulatorOptions } from '../../simulator/simulator.ts';
import { StateFileError } from '../../simulator/state-file.ts';
import { defined } from '../../core/lib/defined.ts';

interface SimulateOptions {
  readonly port: number;
  /** False with --no-home-region. */
  readonly homeRegion: string | false;
  readonly speed: number;
  readonly faults?: FaultScript;
  readonly set?: Partial<Behaviour>;
  readonly throttle: boolean;
  readonly state?: string;
  readonly seed: number;
}

const EXAMPLES = `
Examples:
  migration-agent simulate --port 4580
  migration-agent simulate --speed 60 --faults outage.yaml --set reportAfterLapse=canceled
  migration-agent simulate journal --errors

A fault file is a list of rules:
  - { operation: PollForTask, fault: delay, delay: 5s }
  - { operation: '*', fault: drop, from: 2m, for: 10m }
src/simulator/README.md in the sources describes fault files, switches and the control page.`;

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description(
      'serve AWS Migration Hub, its home region and AWS Data Pipeline on 127.0.0.1, with an audit of the calls',
    )
    .option('--port <n>', 'port; 0 takes a free one', parsePort, 4580)
    .option('--home-region <region>', "the account's home region", parseRegion, 'us-west-2')
    .option('--no-home-region', 'leave the home region unset')
    .option('--speed <k>', 'how many times faster simulated time runs', parseSpeed, 1)
    .option('--faults <file>', 'a YAML file with fault rules, switches and limits', readFaults)
    .option(
      '--set <name=value>',
      'a switch for behaviour that AWS does not document; repeatable (`simulate switches` lists them)',
      addSwitch,
    )
    .option('--no-throttle', 'answer calls over the limits, and only count them')
    .option('--state <file>', 'a file for the state of the services, kept over restarts')
    .option('--seed <n>', 'the seed of ids and of the random numbers of fault rules', parseSeed, 1)
    .addHelpText('after', EXAMPLES)
    .action(simulate);
  for (const ask of simulatorQueries()) command.addCommand(ask);
  for (const each of [command, ...command.commands]) {
    each.exitOverride((error) => {
      // Exit code 0 is a request for help. Everything else that commander refuses is wrong usage.
      process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
    });
  }
  return command;
}

async function simulate(options: SimulateOptions): Promise<void> {
  const { faults, switches, limits } = options.faults ?? { faults: [], switches: {}, limits: {} };
  const simulator = create({
    homeRegion: options.homeRegion === false ? null : options.homeRegion,
    speed: options.speed,
    seed: options.seed,
    // A flag overrides the fault file.
    behaviour: { ...switches, ...options.set },
    limits,
    enforceLimits: options.throttle,
    ...defined({ stateFile: options.state }),
    onStateError: (error) => process.stderr.write(`simulate: ${error.message}\n`),
  });
  if (simulator === undefined) return;
  simulator.addFaults(faults);

  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  let url: string;
  try {
    ({ url } = await simulator.listen(options.port));
  } catch (error) {
    process.stderr.write(`simulate: ${listenError(options.port, error)}\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  process.stdout.write(`simulator ready on ${url}\n`);
  process.stderr.write(directions(url, options));
  await stopped;
  await simulator.close();
}

/** Undefined if the state file cannot be used; the error is printed. */
function create(options: SimulatorOptions): Simulator | undefined {
  try {
    return createSimulator(options);
  } catch (error) {
    if (!(error instanceof StateFileError)) throw error;
    process.stderr.write(`simulate: ${error.message}\n`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
}

function listenError(port: number, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why =
    code === 'EADDRINUSE'
      ? 'it is in use (use another port, or --port 0 for any free port)'
      : String(error);
  return `cannot listen on port ${port}: ${why}`;
}

function directions(url: string, options: SimulateOptions): string {
  const region = options.homeRegion === false ? 'us-west-2' : options.homeRegion;
  return `Status page: ${url}/_simulator/
To use it with the aws command (any credentials are accepted):
  export AWS_ENDPOINT_URL=${url} AWS_DEFAULT_REGION=${region}
  export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_EC2_METADATA_DISABLED=true
  aws mgh list-migration-tasks
`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('expected a port from 0 to 65535.');
  }
  return port;
}

function parseRegion(text: string): string {
  if (!/^[a-z]+-[a-z]+-[0-9]+$/.test(text)) {
    throw new InvalidArgumentError('expected a region such as us-west-2.');
  }
  return text;
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (text.trim() === '' || !Number.isFinite(speed) || speed <= 0) {
    throw new InvalidArgumentError('expected a number greater than 0, such as 60.');
  }
  return speed;
}

function parseSeed(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

function addSwitch(text: string, before: Partial<Behaviour> = {}): Partial<Behaviour> {
  const [name = '', ...rest] = text.split('=');
  const { values, problems } = readSwitches({ [name]: rest.join('=') });
  if (problems.length > 0) {
    throw new InvalidArgumentError(problems.map((each) => `${each.name}: ${each.text}`).join('\n'));
  }
  return { ...before, ...values };
}

function readFaults(file: string): FaultScript {
  try {
    return parseFaultFile(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof FaultFileError) throw new InvalidArgumentError(`\n${error.message}`);
    throw new InvalidArgumentError(`cannot read the file: ${String(error)}`);
  }
}
