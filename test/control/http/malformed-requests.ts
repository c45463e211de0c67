/** Requests that nobody should send, each from the dice of a seed: half HTTP, wrong HTTP, and right HTTP with a wrong content. */
import type { Random } from '../../../src/ports.ts';

export interface Malformed {
  readonly what: string;
  readonly bytes: Buffer;
}

const NOISE = Array.from({ length: 256 }, (_, byte) => byte);
const PATHS = [
  '/v1/status',
  '/v1/jobs',
  '/v1/jobs/copy/cancel',
  '/v1/jobs/copy/start',
  '/v1/drain',
];
const WRONG_PATHS = [
  '/',
  '/v2/status',
  '/v1/jobs/',
  '/v1//jobs',
  '/../etc/passwd',
  '/v1/jobs/%ZZ/x',
];
const METHODS = ['PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS'];

/** One of a dozen kinds. A kind never makes a request that could be served. */
export function malformedRequest(random: Random): Malformed {
  const pick = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  const noise = (bytes: number): Buffer =>
    Buffer.from(Array.from({ length: 1 + Math.floor(random() * bytes) }, () => pick(NOISE)));
  const head = (start: string, ...headers: string[]): string =>
    `${[start, 'host: agent', 'connection: close', ...headers].join('\r\n')}\r\n\r\n`;
  const post = (path: string, body: Buffer | string): Buffer =>
    Buffer.concat([
      Buffer.from(
        head(
          `POST ${path} HTTP/1.1`,
          'content-type: application/json',
          `content-length: ${Buffer.byteLength(body)}`,
        ),
      ),
      Buffer.from(body),
    ]);

  const kinds: Readonly<Record<string, () => Buffer>> = {
    // A first byte that begins no method: else a lucky draw might be the start of one, and be waited for.
    'no HTTP at all': () =>
      Buffer.concat([Buffer.from([0x16]), noise(300), Buffer.from('\r\n\r\n')]),
    'HTTP/2': () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'a version that is none': () =>
      Buffer.from(head(`GET ${pick(PATHS)} HTTP/${pick(['9.9', 'x'])}`)),
    'a header with noise': () =>
      Buffer.concat([
        Buffer.from('GET /v1/status HTTP/1.1\r\nx-\u0000: '),
        noise(40),
        Buffer.from('\r\n\r\n'),
      ]),
    'a header too large': () =>
      Buffer.from(head('GET /v1/status HTTP/1.1', `x: ${'a'.repeat(17_000)}`)),
    'two lengths': () =>
      Buffer.from(head('POST /v1/drain HTTP/1.1', 'content-length: 2', 'content-length: 3') + '{}'),
    'length and chunks': () =>
      Buffer.from(
        head('POST /v1/drain HTTP/1.1', 'content-length: 2', 'transfer-encoding: chunked') + '{}',
      ),
    'a chunk that is none': () =>
      Buffer.from(
        head(
          'POST /v1/jobs HTTP/1.1',
          'content-type: application/json',
          'transfer-encoding: chunked',
        ) + `${pick(['xyz', '-1', '\u0000'])}\r\n{}\r\n`,
      ),
    'a path that is not there': () => Buffer.from(head(`GET ${pick(WRONG_PATHS)} HTTP/1.1`)),
    'a method that is not allowed': () =>
      Buffer.from(head(`${pick(METHODS)} ${pick(PATHS)} HTTP/1.1`)),
    'a body that is no JSON': () =>
      post('/v1/jobs', pick([noise(200), '{"name":', '[[[[', 'nul', "{'name': 1}", '\ufeff{'])),
    'a body of the wrong form': () =>
      post(
        '/v1/jobs',
        JSON.stringify(
          pick([
            [],
            7,
            'text',
            null,
            { name: 'a' },
            { name: 'a', command: [] },
            { name: '../a', command: ['x'] },
            { name: 'a', command: 'ls' },
            { name: 'a', command: ['x'], sudo: true },
            { name: 'a'.repeat(200), command: ['x'] },
            { name: 'a', command: ['\u0000'] },
          ]),
        ),
      ),
    'a body that is deep': () => post('/v1/jobs', `${'['.repeat(5_000)}${']'.repeat(5_000)}`),
    'the wrong kind of body': () =>
      Buffer.from(
        head('POST /v1/jobs/copy/cancel HTTP/1.1', 'content-type: text/html', 'content-length: 2') +
          '{}',
      ),
    'a length that lies': () =>
      Buffer.from(
        head(
          'POST /v1/jobs HTTP/1.1',
          'content-type: application/json',
          'content-length: 999999999',
        ),
      ),
    'a grace that is none': () =>
      post('/v1/jobs/copy/cancel', JSON.stringify({ grace: pick(['0s', '-1s', '1e9', '5', {}]) })),
  };
  const what = pick(Object.keys(kinds));
  return { what, bytes: kinds[what]?.() ?? Buffer.alloc(0) };
}
