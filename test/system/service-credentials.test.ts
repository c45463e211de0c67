import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { useServiceCredentials } from '../../src/system/service-credentials.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credentials-'));
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

function used(environment: NodeJS.ProcessEnv): string | undefined {
  useServiceCredentials(environment);
  return environment['AWS_SHARED_CREDENTIALS_FILE'];
}

test('the keys that systemd passes are used, unless the operator has named a file', () => {
  const file = join(directory, 'aws-credentials');
  writeFileSync(file, '');
  expect(used({ CREDENTIALS_DIRECTORY: directory })).toBe(file);
  const own = { CREDENTIALS_DIRECTORY: directory, AWS_SHARED_CREDENTIALS_FILE: '/own' };
  expect(used(own)).toBe('/own');
});

test('without a key of that name, or outside of a service, nothing changes', () => {
  expect(used({ CREDENTIALS_DIRECTORY: directory })).toBeUndefined();
  expect(used({})).toBeUndefined();
});
