/** What tells a host from its copies, read from a root of our own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readHostIdentity } from '../../src/system/host-identity.ts';

function root(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const UUID = 'sys/class/dmi/id/product_uuid';
const TAG = 'sys/class/dmi/id/board_asset_tag';

test('machine id, hardware and instance, hashed', () => {
  const files = { 'etc/machine-id': 'abc1\n', [UUID]: 'EC2A-1\n', [TAG]: 'i-0123456789\n' };
  const identity = readHostIdentity(root(files));
  expect(Object.keys(identity)).toEqual(['machine', 'hardware', 'instance']);
  expect(JSON.stringify(identity)).not.toMatch(/abc1|ec2a|i-0123/i);
  expect(readHostIdentity(root({ ...files, [UUID]: 'ec2a-1' }))).toEqual(identity);
  const other = readHostIdentity(root({ ...files, [UUID]: 'ec2a-2' }));
  expect(other.hardware).not.toBe(identity.hardware);
  expect(other.machine).toBe(identity.machine);
});

test.each([
  [{ 'etc/machine-id': 'uninitialized\n', [UUID]: '00000000-0000-0000-0000-000000000000' }],
  [{ [UUID]: 'Not Specified', [TAG]: 'rack 7' }],
  [{}],
])('what says nothing is no part of it: %j', (files: Record<string, string>) => {
  expect(readHostIdentity(root(files))).toEqual({});
});

test('this host has one, and it stays', () => {
  expect(readHostIdentity()).toEqual(readHostIdentity());
});
