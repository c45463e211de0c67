/** An answer without an end, of a broken proxy or of a stranger on an http endpoint, costs a few megabytes and no more. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ANSWER_BYTES_MAX } from '../../src/aws/client/answer-limit.ts';
import { CALLS, servicesAt, setEnvironment } from '../aws/aws-stub.ts';

beforeEach(() => setEnvironment());
afterEach(() => setEnvironment());

const CHUNK = Buffer.alloc(256 * 1024, 'x');
/** What the server sends before it stops: enough to be noticed in the memory. */
const SENT_BYTES_MAX = 400e6;

/** Sends without an end, as fast as it is read. */
async function endless(start: string): Promise<{ url: string; sentBytes: () => number }> {
  let sentBytes = 0;
  const server = createServer((request, response: ServerResponse) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.write(start);
    const more = (): void => {
      while (sentBytes < SENT_BYTES_MAX && !response.destroyed) {
        sentBytes += CHUNK.length;
        if (!response.write(CHUNK)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sentBytes: () => sentBytes };
}

function sizeLimit(): number {
  // What lies in the buffers of both sockets was sent, too.
  return ANSWER_BYTES_MAX + 20e6;
}

test.each(['NotifyMigrationTaskState', 'ReportTaskProgress', 'PollForTask'] as const)(
  'of AWS to %s',
  async (operation) => {
    const server = await endless('{"a":"');
    const services = servicesAt(server.url);
    onTestFinished(() => services.close());
    const outcome = await services.send(CALLS[operation]);
    expect(outcome).toMatchObject({ kind: 'unavailable' });
    expect(outcome).toHaveProperty('reason', expect.stringContaining('larger than 4 MB'));
    expect(server.sentBytes()).toBeLessThan(sizeLimit());
  },
);

test.each(['container', 'instance'])('of the %s credentials', async (kind) => {
  const server = await endless('{"a":"');
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-endless-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  setEnvironment({
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    ...(kind === 'container'
      ? { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/` }
      : { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url }),
  });
  const services = servicesAt(server.url, { limits: { credentialsMs: 20_000 } });
  onTestFinished(() => services.close());
  const outcome = await services.send(CALLS.ReportTaskProgress);
  expect(outcome.kind).not.toBe('accepted');
  // The providers try again a few times.
  expect(server.sentBytes()).toBeLessThan(8 * sizeLimit());
});
