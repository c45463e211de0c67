/** The region of a profile, and that a configuration without another one uses it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { regionOfProfile } from '../../../src/config/lib/profile-region.ts';
import { readConfiguration } from '../../../src/config/load.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'migration-agent-region-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function environment(config: string, credentials = ''): Record<string, string> {
  writeFileSync(join(directory, 'config'), config);
  writeFileSync(join(directory, 'credentials'), credentials);
  return {
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
  };
}

test.each([
  ['region = eu-west-1\n[profile a]\n', 'a', undefined],
  ['[profile a]\nregion = eu-west-1\n', 'a', 'eu-west-1'],
  ['[profile "a b"]\r\nregion=eu-west-1 # there\r\n', 'a b', 'eu-west-1'],
  ['[default]\nregion = us-east-1\n[profile a]\noutput = json\n', 'a', undefined],
  ['[default]\nregion = us-east-1\n', undefined, 'us-east-1'],
  ['[profile a]\ns3 =\n  region = wrong\nregion = eu-west-1\n', 'a', 'eu-west-1'],
  ['[services a]\nregion = wrong\n', 'a', undefined],
  ['', 'a', undefined],
])('of %j, profile %j: %j', (config, profile, region) => {
  expect(regionOfProfile(profile, environment(config))).toBe(region);
});

test('AWS_PROFILE names it, aws.profile comes first, and so does the credentials file', () => {
  const files = environment('[profile a]\nregion = eu-west-1\n', '[b]\nregion = eu-west-2\n');
  expect(regionOfProfile(undefined, { ...files, AWS_PROFILE: 'b' })).toBe('eu-west-2');
  expect(regionOfProfile('a', { ...files, AWS_PROFILE: 'b' })).toBe('eu-west-1');
  expect(regionOfProfile('a', { AWS_CONFIG_FILE: directory })).toBeUndefined();
});

test.each([
  ['aws: { profile: a }', {}, 'eu-west-1'],
  ['aws: {}', { AWS_PROFILE: 'a' }, 'eu-west-1'],
  ['aws: { profile: a }', { AWS_REGION: 'us-east-1' }, 'us-east-1'],
  ['aws: { profile: a, region: us-west-2 }', { AWS_REGION: 'us-east-1' }, 'us-west-2'],
])('%s with %j polls in %s', async (aws, variables, region) => {
  const file = join(directory, 'agent.yaml');
  writeFileSync(file, `${aws}\ndataPipeline: { workerGroups: [files] }\njobs: {}\n`);
  const files = environment('[profile a]\nregion = eu-west-1\n');
  const loaded = await readConfiguration(file, { ...files, ...variables }, 'host');
  expect(loaded.ok && loaded.configuration.aws.dataPipelineRegion).toBe(region);
});

test('without a region anywhere it is missing', async () => {
  const file = join(directory, 'agent.yaml');
  writeFileSync(file, 'dataPipeline: { workerGroups: [files] }\njobs: {}\n');
  const loaded = await readConfiguration(file, environment('[profile a]\nregion = x\n'), 'host');
  expect(loaded.ok ? [] : loaded.problems.map(({ key }) => key)).toContain('dataPipeline.region');
});
