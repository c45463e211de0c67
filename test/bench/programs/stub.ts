/** A server in the place of AWS that does as little as it can: reads each request to its end and answers `{}`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { say } from '../program.ts';

const HEAD = { 'content-type': 'application/x-amz-json-1.1', 'content-length': '2' };

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, HEAD).end('{}');
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
