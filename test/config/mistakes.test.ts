/** Ten common mistakes in one file each: what `config check` says of them is a file in test/config/mistakes (vitest -u). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { run } from '../cli/terminal-in-memory.ts';
import { temporaryDirectory } from '../control/control-server-fixture.ts';

const MISTAKES: readonly (readonly [name: string, text: string])[] = [
  [
    'misspelt keys',
    `aws: { regoin: us-west-2 }
migrationhub: { progressUpdateStream: a }
jobs:
  copy: { comand: [rsync], progess: { parser: rsync } }
`,
  ],
  ['a tab', `aws:\n\tregion: us-west-2\n`],
  [
    'a key twice',
    `aws: { region: us-west-2 }
jobs:
  copy: { command: [a] }
  copy: { command: [b] }
`,
  ],
  [
    'bad durations',
    `aws: { region: us-west-2 }
migrationHub: { progressUpdateStream: a, nextUpdate: 300, nextUpdateMax: 1 hour, finalNextUpdate: -5m }
jobs: { a: { command: [a], timeout: 0s, stop: { grace: 30000ms } } }
`,
  ],
  [
    'a variable that is not set',
    `aws: { region: '\${env:MIGRATION_REGION}' }
migrationHub: { progressUpdateStream: '\${env:STREAM' }
`,
  ],
  [
    'wrong types',
    `aws: us-west-2
migrationHub: { progressUpdateStream: [a] }
dataPipeline: { workerGroups: files, concurrency: four }
jobs: { a: { command: 'rsync -a x y', autostart: 'yes' } }
`,
  ],
  [
    'wrong indentation',
    `aws:
  region: us-west-2
jobs:
copy:
  command: [a]
`,
  ],
  [
    'what does not fit together',
    `aws: { region: us-west-2 }
dataPipeline:
  workerGroups: [files]
  activities:
    - match: { type: ShellCommandActivity }
      job: nightly
jobs:
  nightly-files:
    command: [a]
    schedule: '0 25 * * *'
    timezone: Europe/Berlinn
    progress: { parser: size, target: /srv/b }
`,
  ],
  [
    'names that AWS does not take',
    `aws: { region: us-west-2 }
migrationHub: { progressUpdateStream: 'my/stream:1' }
jobs:
  'nightly files': { command: [a] }
  b: { command: [b], migrationHub: { artifacts: [my-bucket/key], resourceAttributes: [{ type: HOST, value: x }] } }
`,
  ],
  [
    'risky, but allowed',
    `aws: { region: us-west-2 }
migrationHub: { progressUpdateStream: a, nextUpdate: 20s }
dataPipeline: { workerGroups: [files], reportEvery: 10m }
jobs: { copy: { command: [rsync, -a, x, y], progress: { parser: rsync } } }
`,
  ],
];

test.each(MISTAKES)('%s', async (name, text) => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'config.yaml');
  writeFileSync(file, text);
  const { code, stdout, stderr } = await run(['config', 'check', '--config', file]);
  expect(stdout).toBe('');
  expect(code).toBe(name.startsWith('risky') ? 0 : 78);
  const said = stderr.replaceAll(file, 'config.yaml');
  // Each names its place and its key.
  for (const line of said.trimEnd().split('\n')) {
    expect(line).toMatch(
      /^config\.yaml(?::\d+:\d+ [\w.(){}/ -]+: .{8,}|: no errors, \d+ warnings?)/,
    );
  }
  await expect(
    `${text}\n# migration-agent config check, exit code ${code}:\n${said}`,
  ).toMatchFileSnapshot(`mistakes/${name.replaceAll(/[^a-z]+/g, '-')}.txt`);
});
