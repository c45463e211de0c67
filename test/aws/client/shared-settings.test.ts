/**
 * A profile of the shared AWS files counts for all clients alike, whether aws.profile or AWS_PROFILE names it: each case is
 * asked of the clients themselves, and the calls of all three arrive where the profile says.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createProbe } from '../../../src/aws/probe.ts';
import { createServices } from '../../../src/aws/services.ts';
import type { ServiceName, ServicesOptions } from '../../../src/aws/client/options.ts';
import { CALLS, setEnvironment, startStub } from '../aws-stub.ts';

const SERVICES: readonly ServiceName[] = ['migrationHub', 'migrationHubConfig', 'dataPipeline'];

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'migration-agent-profile-'));
});

afterEach(async () => {
  setEnvironment();
  await rm(directory, { recursive: true });
});

/** The two ways to name the profile. */
const WAYS = ['aws.profile', 'AWS_PROFILE'] as const;

async function optionsFor(
  way: (typeof WAYS)[number],
  config: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServicesOptions> {
  const file = join(directory, 'config');
  await writeFile(file, config);
  setEnvironment({
    AWS_CONFIG_FILE: file,
    ...variables,
    ...(way === 'AWS_PROFILE' ? { AWS_PROFILE: 'migration' } : {}),
  });
  return {
    ...(way === 'aws.profile' ? { profile: 'migration' } : {}),
    endpoints: {},
    version: '1',
    environment: process.env,
  };
}

async function endpointsOf(options: ServicesOptions, region = 'us-west-2'): Promise<string[]> {
  const probe = createProbe(options);
  try {
    return await Promise.all(SERVICES.map((service) => probe.endpoint(service, region)));
  } finally {
    probe.close();
  }
}

const OWN = [
  'https://mgh.us-west-2.amazonaws.com',
  'https://migrationhub-config.us-west-2.amazonaws.com',
  'https://datapipeline.us-west-2.amazonaws.com',
];
const FIPS = OWN.map((url) => url.replace('.us-west-2', '-fips.us-west-2'));
const DUAL = OWN.map((url) => url.replace('.amazonaws.com', '.api.aws'));
const CUSTOM = OWN.map(() => 'http://127.0.0.1:4580');

describe.each(WAYS)('named by %s', (way) => {
  test.each<[what: string, config: string, variables: Record<string, string>, endpoints: string[]]>(
    [
      ['nothing', '[profile migration]\n', {}, OWN],
      ['an endpoint', '[profile migration]\nendpoint_url = http://127.0.0.1:4580\n', {}, CUSTOM],
      [
        'an endpoint of one service',
        '[profile migration]\nservices = local\n[services local]\ndata_pipeline =\n  endpoint_url = http://127.0.0.1:3\n',
        {},
        [OWN[0]!, OWN[1]!, 'http://127.0.0.1:3'],
      ],
      [
        'endpoints of all services, before that of the profile',
        '[profile migration]\nservices = local\nendpoint_url = http://127.0.0.1:9\n[services local]\nmigration_hub =\n  endpoint_url = http://127.0.0.1:1\nmigrationhub_config =\n  endpoint_url = http://127.0.0.1:2/path\ndata_pipeline =\n  endpoint_url = http://127.0.0.1:3\n',
        {},
        ['http://127.0.0.1:1', 'http://127.0.0.1:2/path', 'http://127.0.0.1:3'],
      ],
      [
        'an endpoint, but the environment has another',
        '[profile migration]\nendpoint_url = http://127.0.0.1:9\n',
        { AWS_ENDPOINT_URL: 'http://127.0.0.1:4580' },
        CUSTOM,
      ],
      [
        'an endpoint that is to be ignored',
        '[profile migration]\nendpoint_url = http://127.0.0.1:9\nignore_configured_endpoint_urls = true\n',
        { AWS_ENDPOINT_URL: 'http://127.0.0.1:8' },
        OWN,
      ],
      [
        'nothing, and the default profile an endpoint',
        '[default]\nendpoint_url = http://127.0.0.1:9\nuse_fips_endpoint = true\n[profile migration]\nregion = eu-west-1\n',
        {},
        OWN,
      ],
      ['FIPS', '[profile migration]\nuse_fips_endpoint = true\n', {}, FIPS],
      [
        'FIPS, but the environment does not',
        '[profile migration]\nuse_fips_endpoint = true\n',
        { AWS_USE_FIPS_ENDPOINT: 'false' },
        OWN,
      ],
      ['dual-stack', '[profile migration]\nuse_dualstack_endpoint = true\n', {}, DUAL],
    ],
  )('a profile that has %s', async (_what, config, variables, endpoints) => {
    expect(await endpointsOf(await optionsFor(way, config, variables))).toEqual(endpoints);
  });

  test('the calls of all three go where the profile says, with its keys and its region', async () => {
    const stub = await startStub();
    const config = `[profile migration]\nregion = eu-west-1\nendpoint_url = ${stub.url}\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n`;
    const services = createServices(
      await optionsFor(way, config, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }),
    );
    for (const call of [CALLS.GetHomeRegion, CALLS.ImportMigrationTask, CALLS.PollForTask]) {
      expect((await services.send(call)).kind).toBe('accepted');
    }
    const scopes = stub.requests.map(({ headers }) =>
      /Credential=([^/]+)\/\d+\/([^/]+)/.exec(headers.authorization ?? '')?.slice(1),
    );
    // A write goes to the region of its task.
    expect(scopes).toEqual([
      ['AKIDPROFILE', 'eu-west-1'],
      ['AKIDPROFILE', 'eu-central-1'],
      ['AKIDPROFILE', 'eu-west-1'],
    ]);
    services.close();
    await stub.close();
  });

  test.each([
    ['use_fips_endpoint = yes', 'use_fips_endpoint must be true or false, not yes'],
    [
      'use_fips_endpoint = true\nendpoint_url = http://a',
      'FIPS and custom endpoint are not supported',
    ],
  ])('a profile with %j stops the calls with its reason', async (lines, reason) => {
    const options = await optionsFor(
      way,
      `[profile migration]\naws_access_key_id = A\naws_secret_access_key = b\n${lines}\n`,
    );
    await expect(endpointsOf(options)).rejects.toThrow(reason);
    const services = createServices({ ...options, region: 'us-west-2' });
    for (const call of [CALLS.GetHomeRegion, CALLS.ImportMigrationTask, CALLS.PollForTask]) {
      const outcome = await services.send(call);
      expect(outcome.kind === 'accepted' ? '' : outcome.reason).toContain(reason);
    }
    services.close();
  });
});

test('an endpoint of the configuration comes before all others', async () => {
  const options = await optionsFor('aws.profile', '[profile migration]\nendpoint_url = http://b\n');
  const endpoints = { dataPipeline: 'http://127.0.0.1:5' };
  expect((await endpointsOf({ ...options, endpoints }))[2]).toBe('http://127.0.0.1:5');
});
