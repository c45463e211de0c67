/** What `dev` prints and writes, so that it works as it stands in another terminal. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { directions } from '../../../src/cli/dev/directions.ts';
import { writeDevFiles } from '../../../src/cli/dev/files.ts';
import { checkoutLauncher } from '../../../src/cli/launcher.ts';
import { loadConfiguration } from '../../../src/config/load.ts';

const ADDRESSES = {
  page: 'http://127.0.0.1:1/',
  simulator: 'http://127.0.0.1:2',
  socket: '/tmp/a b/agent.sock',
  configuration: '/tmp/dev/config.yaml',
};

test('the addresses, the line of variables for a shell, and commands', () => {
  const lines = directions(ADDRESSES);
  expect(lines.slice(2, 5)).toEqual([
    '  status page    http://127.0.0.1:1/',
    '  simulated AWS  http://127.0.0.1:2/_simulator/',
    '  configuration  /tmp/dev/config.yaml',
  ]);
  const launcher = checkoutLauncher();
  const path = launcher === undefined ? '' : `PATH='?${dirname(launcher)}'?:"\\$PATH" `;
  expect(lines.find((line) => line.startsWith('export '))).toMatch(
    new RegExp(
      `^export ${path}MIGRATION_AGENT_SOCKET='/tmp/a b/agent.sock' MIGRATION_AGENT_CONFIG=/tmp/dev/config.yaml AWS_ENDPOINT_URL=http://127.0.0.1:2 AWS_ACCESS_KEY_ID=dev AWS_SECRET_ACCESS_KEY=dev AWS_DEFAULT_REGION=eu-central-1 AWS_EC2_METADATA_DISABLED=true$`,
    ),
  );
  expect(lines.filter((line) => line.startsWith('  migration-agent '))).toHaveLength(3);
});

test('a configuration that is valid, for its owner alone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dev "files" '));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const files = writeDevFiles(directory, ADDRESSES.simulator);
  expect(files).toEqual({
    configuration: join(directory, 'config.yaml'),
    socket: join(directory, 'agent.sock'),
  });
  expect(statSync(files.configuration).mode & 0o777).toBe(0o600);
  const text = readFileSync(files.configuration, 'utf8');
  const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
  expect(loaded).toMatchObject({
    ok: true,
    warnings: [],
    configuration: {
      agent: { stateDirectory: join(directory, 'state'), socket: files.socket },
      aws: { endpoints: { migrationHub: ADDRESSES.simulator, dataPipeline: ADDRESSES.simulator } },
    },
  });
});
