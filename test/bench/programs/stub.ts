/** A server in the place of AWS that does as little as it can: reads each request to its end and answers `{}`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { givenOptions, say } from '../program.ts';

const { delayMs } = givenOptions() as { readonly delayMs?: number };
const HEAD = { 'content-type': 'application/x-amz-json-1.1', 'content-length': '2' };

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const answer = (): unknown => response.writeHead(200, HEAD).end('{}');
    if (delayMs === undefined) answer();
    else setTimeout(answer, delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
