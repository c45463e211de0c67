/**
 * Every command that a document, the manual page or a help text shows. The program's own parser takes each of them, and each
 * block of shell code in a document is run here, or has its reason in `NOT_RUN_HERE`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { wholeProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { Collector } from '../cli/terminal-in-memory.ts';
import { awsMissing } from '../support/aws-command.ts';
import { createSite, LAUNCHER } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const DOCUMENTS = globSync('{*.md,{config,systemd,src,test,.github}/**/*.md}').toSorted();

/** For the title of a test that needs the program; empty: it is there. */
function whyNot(program: string): string {
  return spawnSync(program, ['--version']).status === 0 ? '' : `(${program} is missing)`;
}

interface Block {
  readonly document: string;
  readonly first: string;
  readonly code: string;
}

const BLOCKS: readonly Block[] = DOCUMENTS.flatMap((document) =>
  [...readFileSync(document, 'utf8').matchAll(/^ *```(?:sh|bash|console)\n(.*?)^ *```/gms)].map(
    ([, code = '']) => {
      // A comment says what the block is, not which one it is.
      const first = code.split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? '';
      return { document, first: first.trim(), code };
    },
  ),
);

/** By document and the beginning of the first command. */
const NOT_RUN_HERE: readonly (readonly [document: string, first: string, reason: string])[] = [
  ['.github/CONTRIBUTING.md', 'npm ci', '.ci/run does the same'],
  ['README.md', 'npm ci', '.ci/run does exactly this'],
  ['README.md', 'npm run dev', 'test/cli/dev/dev.test.ts runs dev'],
  ['config/events.md', 'journalctl', 'test/tidy/log-recipes.test.ts runs each recipe'],
  ['config/progress.md', 'npm run test:percent', 'it is a test itself'],
  [
    'config/tracking.md',
    'migration-agent track vault',
    'needs systemd: test/systemd/tracking.e2e.ts',
  ],
  ['systemd/README.md', 'apt install', 'needs root: test/systemd/package.e2e.ts installs the deb'],
  ['systemd/README.md', 'dnf install', 'needs root: test/systemd/distributions.e2e.ts'],
  ['systemd/README.md', 'tar -xf', 'needs root: test/systemd/distributions.e2e.ts runs it'],
  ['systemd/README.md', 'cd /usr/share', 'needs root: test/systemd/drop-ins.e2e.ts'],
  ['systemd/README.md', 'useradd', 'needs root'],
  ['systemd/README.md', 'loginctl', 'needs root and systemd'],
  ['systemd/README.md', 'install -D', 'needs root and systemd'],
  ['systemd/README.md', 'apt-get update', 'needs root and a container'],
];

const RUN_HERE: readonly (readonly [document: string, first: string])[] = [
  ['README.md', 'migration-agent run'],
  ['README.md', 'migration-agent config check'],
  [
    'config/api.md',
    'curl --silent --unix-socket /run/migration-agent/agent.sock http://localhost/v1/openapi',
  ],
  [
    'config/api.md',
    'curl --silent --unix-socket /run/migration-agent/agent.sock http://localhost/v1/jobs',
  ],
  ['config/tracking.md', 'set -o pipefail'],
  ['config/tracking.md', 'migration-agent track load'],
  ['src/simulator/README.md', 'migration-agent simulate'],
];

test('each block of shell code is run here or has its reason, and no reason is left over', () => {
  const decided = [...NOT_RUN_HERE, ...RUN_HERE];
  const isOf =
    ({ document, first }: Block) =>
    ([of, start]: readonly [string, string, string?]) =>
      of === document && first.startsWith(start);
  const open = BLOCKS.filter((block) => decided.filter(isOf(block)).length === 0);
  expect(open.map(({ document, first }) => `${document}: ${first}`)).toEqual([]);
  const left = decided.filter((decision) => !BLOCKS.some((block) => isOf(block)(decision)));
  expect(left).toEqual([]);
});

describe('the parser takes', () => {
  test('every example of a help text, and so of the manual page', async () => {
    const program = await wholeProgram(processTerminal());
    const examples = program.commands.flatMap((command) => {
      const output = new Collector(undefined);
      command.configureOutput({ writeOut: (text) => output.write(text) });
      command.outputHelp();
      const [, shown = ''] = output.text.split(/\nExamples?:\n/);
      return commandsOf(shown.replaceAll(/\\\n\s*/g, ''));
    });
    expect(examples.length).toBeGreaterThan(25);
    expect(await refusals(examples)).toEqual([]);
  });

  test('every command of a document, in a block or between backticks', async () => {
    const shown = DOCUMENTS.flatMap((document) => {
      const whole = readFileSync(document, 'utf8');
      const inline = [...whole.matchAll(/`(migration-agent [^`\n]+)`/g)].map(([, one = '']) => one);
      const blocks = BLOCKS.filter((block) => block.document === document);
      return [...inline, ...blocks.flatMap(({ code }) => commandsOf(code))];
    });
    expect(shown.length).toBeGreaterThan(30);
    expect(await refusals(shown)).toEqual([]);
  });
});

/** The calls of the program in shell code, without what stands around them. */
function commandsOf(code: string): string[] {
  // Where a command can stand: `-u migration-agent` is a user.
  const call =
    /(?<=^\s*|[;&|(]\s*|\b(?:then|else|do|sudo -u \S+)\s+)migration-agent (?:'[^']*'|"[^"]*"|[^\n'"#|;&>)]|(?<=\S)#)+/gm;
  return [...code.matchAll(call)].map(([one]) => one.trim());
}

async function refusals(commands: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const command of commands) {
    // What is left out cannot be parsed.
    if (command.includes('…')) continue;
    const [, ...words] = argumentsOf(command.replaceAll(/"?\$(?:\$|\w+)"?/g, '40'));
    const problem = await parse(words);
    // `migration-agent logs` in a sentence is the name of a command; a file of an example is not there.
    if (words.length === 1 && problem?.includes('missing required argument')) continue;
    if (problem !== undefined && !problem.includes('ENOENT')) wrong.push(`${command}: ${problem}`);
  }
  return wrong;
}

function argumentsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, ''),
  );
}

/** What the parser says against it. Nothing is done. */
async function parse(words: readonly string[]): Promise<string | undefined> {
  const stderr = new Collector(undefined);
  const program = await wholeProgram({
    ...processTerminal(),
    stdout: new Collector(undefined),
    stderr,
    exit: (code) => {
      if (code !== 0) throw new Error('usage');
    },
  });
  const disarm = (command: Command): void => {
    command.action(() => undefined);
    command.commands.forEach(disarm);
  };
  disarm(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch {
    return stderr.text === '' ? undefined : stderr.text.split('\n', 1)[0];
  }
}

function blockOf(document: string, start: string): string {
  const block = BLOCKS.find((one) => one.document === document && one.first.startsWith(start));
  expect(block, `${document}: ${start}`).toBeDefined();
  return block!.code;
}

interface World {
  readonly site: Site;
  readonly shell: (code: string) => Promise<string>;
}

/** An agent with the jobs of the documents, and the environment of a terminal beside it. */
async function createWorld(): Promise<World> {
  const site = await createSite(`migrationHub: { progressUpdateStream: my-migrator }
jobs:
  copy-files: { command: ['true'] }
  nightly-files: { command: ['true'] }
`);
  const bin = join(site.directory, 'bin');
  mkdirSync(bin);
  symlinkSync(LAUNCHER, join(bin, 'migration-agent'));
  await site.start();
  const environment = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: site.directory,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    MIGRATION_AGENT_CONFIG: site.configuration,
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const shell = (code: string): Promise<string> => runShell(code, site.directory, environment);
  return { site, shell };
}

/** Standard output of the code. A command of it that fails is an error. */
async function runShell(
  code: string,
  cwd: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const child = spawn('bash', ['-e', '-c', code], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const [stdout, stderr, exit] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  expect(exit, `${code}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

describe('run as it stands', () => {
  // The documents name different jobs, so one agent has them all.
  let site: Site;
  let shell: World['shell'];
  beforeAll(async () => {
    ({ site, shell } = await createWorld());
  });
  afterAll(() => site.close());

  test('README.md: the first job, and the commands after an installation', async () => {
    const first = await shell(blockOf('README.md', 'migration-agent run'));
    expect(first).toMatch(/^copy\/1 +succeeded/m);
    expect(first).toContain('COMPLETED');
    const installed = blockOf('README.md', 'migration-agent config check');
    // The agent runs already.
    const withoutSystemd = installed.replace(/^systemctl .*\n/m, '');
    expect(withoutSystemd).not.toBe(installed);
    expect(await shell(withoutSystemd)).toMatch(/^copy-files +/m);
  });

  test.skipIf(whyNot('jq') !== '')(`config/api.md ${whyNot('jq')}`, async () => {
    for (const { code } of BLOCKS.filter(({ document }) => document === 'config/api.md')) {
      await shell(
        code.replaceAll('/run/migration-agent/agent.sock', join(site.directory, 'agent.sock')),
      );
    }
    const api = JSON.parse(readFileSync(join(site.directory, 'agent-api.json'), 'utf8')) as object;
    expect(api).toHaveProperty('openapi');
    await site.untilJob('nightly-files', ({ state }) => state === 'succeeded');
    expect((await site.job('copy-of-disks')).state).toBe('succeeded');
  });

  test.skipIf(whyNot('rsync') !== '')(
    `config/tracking.md: the script of cron, and a status file ${whyNot('rsync')}`,
    async () => {
      const here = (code: string): string =>
        code
          .replaceAll('backup:/srv/', `${site.directory}/backup/`)
          .replaceAll('/srv/', `${site.directory}/srv/`);
      for (const folder of ['srv/a', 'srv/load', 'backup/a']) {
        mkdirSync(join(site.directory, folder), { recursive: true });
      }
      writeFileSync(join(site.directory, 'srv/a/file'), 'x'.repeat(100_000));
      // A job of this name is configured, and cron's is another.
      const script = blockOf('config/tracking.md', 'set -o pipefail');
      await shell(here(script.replaceAll('copy-files', 'copy-by-cron')));
      const copied = await site.untilJob('copy-by-cron', ({ endedAt }) => endedAt !== undefined);
      expect([copied.state, copied.percent]).toEqual(['succeeded', 100]);
      writeFileSync(join(site.directory, 'srv/load/status.json'), '{"status": "completed"}');
      await shell(here(blockOf('config/tracking.md', 'migration-agent track load')));
      await site.untilJob('load', ({ state }) => state === 'succeeded');
    },
  );

  test.skipIf(awsMissing !== undefined)(
    `src/simulator/README.md ${awsMissing === undefined ? '' : `(${awsMissing})`}`,
    async () => {
      const block = blockOf('src/simulator/README.md', 'migration-agent simulate');
      const [serve = '', ...rest] = block.split('\n');
      expect(serve).toBe('migration-agent simulate --port 4580');
      const simulator = spawn(LAUNCHER, ['simulate', '--port', '0'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      onTestFinished(() => void simulator.kill('SIGKILL'));
      let printed = '';
      simulator.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
      simulator.stderr.on('data', (bytes: Buffer) => (printed += bytes.toString()));
      await until('the simulator is ready', () => /http:\/\/127\.0\.0\.1:\d+/.test(printed));
      const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      const code = rest.join('\n').replaceAll('http://127.0.0.1:4580', url);
      const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
      const environment = {
        PATH: `${dirname(LAUNCHER)}:${PATH}`,
        HOME,
        NODE_COMPILE_CACHE,
        AWS_CONFIG_FILE: '/dev/null',
      };
      const out = await runShell(code, '/', environment);
      expect(out).toContain('CreateProgressUpdateStream');
    },
  );
});
