/** A page in the operator's browser whose name was rebound to the agent's address must not read the status page. */
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpListener } from '../../src/control/http/tcp-listener.ts';
import { createRegistry } from '../../src/control/metrics.ts';
import { OperatorInMemory } from '../control/operator-in-memory.ts';

async function statusFor(host: string, path: string): Promise<number> {
  const operator = new OperatorInMemory();
  const listener = createHttpListener({
    listen: '127.0.0.1:0',
    operator,
    registry: createRegistry(operator),
    hosts: () => ['migration01.example.com'],
  });
  const { port } = await listener.listen();
  onTestFinished(() => listener.close());
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}

test.each(['/', '/status.json', '/metrics', '/jobs/a.json', '/healthz'])(
  'the name of another site is refused for %s',
  async (path) => {
    expect(await statusFor('attacker.example:9464', path)).toBe(421);
  },
);

test.each([
  'attacker.example',
  'localhost.attacker.example',
  '127.0.0.1.attacker.example',
  'migration01.example.com.attacker.example',
  'attacker.example@127.0.0.1',
  '127.0.0.1@attacker.example',
  '[attacker.example]',
  '127.1',
  'xn--lcalhost-n4a',
])('%j is refused', async (host) => {
  expect(await statusFor(host, '/status.json')).toBe(421);
});

test.each([
  '127.0.0.1:9464',
  '192.0.2.7',
  '[::1]:9464',
  'localhost:9464',
  'LOCALHOST',
  'migration01.example.com:9464',
  'Migration01.Example.com.',
])('%j is answered', async (host) => {
  expect(await statusFor(host, '/status.json')).toBe(200);
});
