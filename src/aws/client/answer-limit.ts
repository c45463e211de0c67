/**
 * A limit for the size of answers. Neither the SDK nor its credential providers have one: an endless answer of a broken proxy
 * or of a stranger on an http endpoint would fill the memory. The providers make requests of their own, so their limit is
 * in Node's channel of HTTP responses, for the requests of the work that asks for it. Calls have it at the end of their chain.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage as Response } from 'node:http';

/** Not by `import`, which reads every export of the module: one of them loads the whole of undici. */
const { IncomingMessage } = process.getBuiltinModule('node:http');

/** The largest answer is a page of 100 updates with 2,500 characters each, or a task with 15 KB of each object: below 1 MB. */
export const ANSWER_BYTES_MAX = 4_000_000;

class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';

  constructor() {
    super(`the answer is larger than ${ANSWER_BYTES_MAX / 1e6} MB`);
  }
}

const limited = new AsyncLocalStorage<true>();
const requests = new WeakSet<ClientRequest>();

subscribe('http.client.request.created', (message) => {
  const { request } = message as { readonly request: ClientRequest };
  if (limited.getStore() === true) requests.add(request);
});
subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as {
    readonly request: ClientRequest;
    readonly response: Response;
  };
  if (requests.has(request)) limitBytes(response);
});

/** For the body of an answer whose head just came: the handler of the SDK's clients hands it out. */
export function limitAnswer(body: unknown): void {
  if (body instanceof IncomingMessage) limitBytes(body);
}

/** All HTTP requests that `work` starts get the limit. */
export function withAnswerLimit<Value>(work: () => Value): Value {
  return limited.run(true, work);
}

/** Counts what the parser delivers: a listener for data would take it away from the reader. */
function limitBytes(response: Response): void {
  const push = response.push.bind(response);
  let bytes = 0;
  response.push = (chunk: Buffer | string | null, encoding?: BufferEncoding) => {
    bytes += chunk === null ? 0 : Buffer.byteLength(chunk);
    if (bytes <= ANSWER_BYTES_MAX) return push(chunk, encoding);
    response.destroy(new AnswerTooLarge());
    return false;
  };
}
