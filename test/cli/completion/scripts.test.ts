/**
 * Completion in real shells: each is started on a terminal of its own (script(1)), loads the script, and gets a line with
 * a tab in it. What the completed line means to the shell is what the program is started with.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';

interface Shell {
  readonly program: string;
  /** As a user's shell starts, but without a user's own files. */
  readonly command: string;
  readonly load: (file: string) => string;
}

interface Line {
  readonly typed: string;
  /** The jobs that the agent knows. */
  readonly names: readonly string[];
}

/** The words of each line that started the program. */
type Started = readonly (readonly string[] | undefined)[];

const SHELLS: readonly Shell[] = [
  {
    program: 'bash',
    command: 'bash --norc --noprofile -i',
    load: (file) => `[ ! -r ${BASH_COMPLETION} ] || . ${BASH_COMPLETION}; . ${file}`,
  },
  {
    program: 'zsh',
    command: 'zsh -f -i',
    load: (file) => `autoload -Uz compinit && compinit -u -D; . ${file}`,
  },
  { program: 'fish', command: 'fish --no-config -i', load: (file) => `source ${file}` },
];

const BRACE = '${IFS}x';
const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  BRACE,
  '; touch pwned;',
  '| touch pwned',
  '& touch pwned &',
  "'$(touch pwned)'",
  '"$(touch pwned)"',
  String.raw`\$(touch pwned)`,
  '* ?[a-z] ~root {a,b}',
  '(touch pwned)',
  '<(touch pwned)',
  '!touch#^pwned',
  '%s %n $1 $@',
  'name:with=breaks@and+more',
  'x[$(touch pwned)]',
  'bidi-ü-名前',
];

const EXPECTED = [
  ['migration-agent comp\t bash', ['completion', 'bash']],
  ['migration-agent cancel nig\t', ['cancel', 'nightly-files']],
  ['migration-agent cancel copy --gr\t 2m', ['cancel', 'copy', '--grace', '2m']],
  ['migration-agent wait copy --for f\t', ['wait', 'copy', '--for', 'finished']],
  ['migration-agent run --progress pg_r\t', ['run', '--progress', 'pg_restore']],
  ['migration-agent outbox re\t', ['outbox', 'retry']],
  ['migration-agent outbox retry nig\t', ['outbox', 'retry', 'nightly-files']],
  ['migration-agent config ch\t', ['config', 'check']],
  ['migration-agent config check --con\t x', ['config', 'check', '--config', 'x']],
  ['migration-agent simulate jour\t', ['simulate', 'journal']],
] as const;

/** ATTACKED_TREE: another checkout, to see an attack succeed against its code (test/security/attack.config.ts). */
async function completionOf(program: string): Promise<string> {
  const tree = process.env['ATTACKED_TREE'];
  if (tree === undefined) return (await run(['completion', program])).stdout;
  const launcher = join(tree, 'src/migration-agent');
  return spawnSync(launcher, ['completion', program], { encoding: 'utf8' }).stdout;
}

function isMissing(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0;
}

describe.each(SHELLS)('$program (needs script)', ({ program, command, load }) => {
  const isSkipped = isMissing(program) || isMissing('script');
  let directory: string;
  let script: string;
  /** What the lines with hostile names, and those of `EXPECTED`, started. */
  let asData: Started = [];
  let completed: Started = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'completion-'));
    script = join(directory, `completion.${program}`);
    await writeFile(script, await completionOf(program));
    // Stands for the program: knows the jobs of the present line, and writes down what it is started with.
    const stub = join(directory, 'migration-agent');
    await writeFile(
      stub,
      `#!/bin/bash
read -r line < ${directory}/line
if [ "$*" = 'status --names' ]; then exec cat "${directory}/names.$line"; fi
printf '%s\\0' "$@" > "${directory}/started.$line"
`,
    );
    await chmod(stub, 0o755);
    if (!isSkipped) [asData, completed] = await bothOf();
  }, 120_000);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** What the program is started with by each line, in which a tab completes. One shell runs them all. */
  async function complete(lines: readonly Line[]): Promise<Started> {
    for (const [index, { names }] of lines.entries()) {
      await writeFile(join(directory, `names.${index}`), names.map((name) => `${name}\n`).join(''));
    }
    const input = lines.map(({ typed }, index) => `echo ${index} > line\n${typed}\n`).join('');
    spawnSync('script', ['-qec', command, '/dev/null'], {
      input: `${load(script)}\n${input}exit\n`,
      cwd: directory,
      env: {
        PATH: `${directory}:${process.env['PATH'] ?? ''}`,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        HOME: directory,
        TERM: 'dumb',
        LANG: 'C.UTF-8',
      },
      timeout: 60_000,
    });
    return lines.map((_line, index) => {
      const file = join(directory, `started.${index}`);
      if (!existsSync(file)) return undefined;
      const started = readFileSync(file, 'utf8').split('\0').slice(0, -1);
      rmSync(file);
      return started;
    });
  }

  /** A shell starts slowly: one takes the lines of both tests. */
  async function bothOf(): Promise<[Started, Started]> {
    const part = {
      typed: 'migration-agent cancel \\$\\(touch\\ p\t',
      names: ['$(touch pwned)', 'x'],
    };
    const data = [
      ...HOSTILE.map((name) => ({ typed: 'migration-agent status \t', names: [name] })),
      part,
      // An option to the program, but nothing to the shell.
      { typed: 'migration-agent status \t', names: ['-rf'] },
    ];
    const names = ['copy', 'nightly-files'];
    const started = await complete([...data, ...EXPECTED.map(([typed]) => ({ typed, names }))]);
    return [started.slice(0, data.length), started.slice(data.length)];
  }

  test.skipIf(isSkipped)('a name of a job is data, whatever is in it', () => {
    expect(existsSync(join(directory, 'pwned'))).toBe(false);
    expect(asData.slice(0, -1)).toEqual([
      ...HOSTILE.map((name) => ['status', name]),
      ['cancel', '$(touch pwned)'],
    ]);
  });

  test.skipIf(isSkipped)('commands, options, values and jobs are completed', () => {
    expect(completed).toEqual(EXPECTED.map(([, words]) => words));
  });
});

test('zsh and fish show what a command is for', async () => {
  const summary = 'take no more pipeline tasks; running jobs go on';
  expect((await run(['completion', 'zsh'])).stdout).toContain(`'drain:${summary}'`);
  expect((await run(['completion', 'fish'])).stdout).toContain(`-a drain -d '${summary}'\n`);
});

test('status --names gives the names to scripts, but none that could not stand on a line', async () => {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy'), jobNamed('a\nb'), jobNamed('\u009b31m'), jobNamed('x\u202ey'));
  const { stdout } = await run(['status', '--names', '--socket', socketPath]);
  expect(stdout).toBe('copy\n');
});
