/**
 * One call through an SDK client: how it is ended early, and what came back over the wire. The head of the answer is recorded
 * below the SDK's deserializer, because neither SDK generation exposes the headers of good answers, and the older one
 * hides even the status of an answer that it cannot parse.
 */
import { limitAnswer } from './client/answer-limit.ts';
import type { CallEnd } from './call-end.ts';
import type { SeenResponse } from './outcomes.ts';

export interface Exchange {
  readonly end: CallEnd;
  response: SeenResponse | undefined;
}

/** What the two generations of clients and commands have in common; they type it differently. */
interface Client {
  readonly middlewareStack: object;
  readonly config: { readonly requestHandler: unknown };
}
interface Command<Output> {
  readonly input: object;
  readonly middlewareStack: object;
  resolveMiddleware(
    stack: never,
    config: never,
    options: never,
  ): (args: never) => Promise<{ readonly output: Output }>;
}

interface Stack {
  add(
    middleware: () => (args: Sent) => Promise<{ readonly response: unknown }>,
    options: { readonly step: 'deserialize'; readonly priority: 'low'; readonly name: string },
  ): void;
}
interface RequestHandler {
  handle(
    request: SignedRequest,
    options: { readonly abortSignal: CallEnd },
  ): Promise<{ readonly response: Answer }>;
}
/** What the chain passes from one part to the next. Each part adds to it and keeps what it does not know. */
interface Sent {
  readonly request: SignedRequest;
  readonly exchange: Exchange;
}
interface SignedRequest {
  readonly headers: Headers;
}
interface Answer {
  readonly statusCode: number;
  readonly headers: Headers;
  readonly body: unknown;
}
type Headers = Readonly<Record<string, string>>;
type Chain = (args: {
  readonly input: object;
  readonly exchange: Exchange;
}) => Promise<{ readonly output: unknown }>;

/**
 * The chain of each client for each kind of command. The clients put it together anew for every call, which is a third of
 * what a call costs; their option `cacheMiddleware` works for the newer one only, and not for a call that can be aborted.
 */
const chains = new WeakMap<Client, Map<unknown, Chain>>();

export async function sendCommand<Output>(
  client: Client,
  command: Command<Output>,
  exchange: Exchange,
): Promise<Output> {
  const { output } = await chainOf(client, command)({ input: command.input, exchange });
  return output as Output;
}

function chainOf(client: Client, command: Command<unknown>): Chain {
  let ofClient = chains.get(client);
  if (ofClient === undefined) {
    ofClient = new Map();
    chains.set(client, ofClient);
  }
  const known = ofClient.get(command.constructor);
  if (known !== undefined) return known;
  const { requestHandler } = client.config as { readonly requestHandler: RequestHandler };
  const stack = command.middlewareStack as Stack;
  stack.add(() => (args) => exchangeBy(requestHandler, args), {
    step: 'deserialize',
    priority: 'low',
    name: 'exchange',
  });
  const made = command.resolveMiddleware(
    client.middlewareStack as never,
    client.config as never,
    {} as never,
  ) as Chain;
  ofClient.set(command.constructor, made);
  return made;
}

/** The end of the chain: the request goes out, and the head of its answer is recorded. */
async function exchangeBy(
  requestHandler: RequestHandler,
  { request, exchange }: Sent,
): Promise<{ readonly response: unknown }> {
  const { response } = await requestHandler.handle(request, { abortSignal: exchange.end });
  exchange.response = {
    status: response.statusCode,
    headers: response.headers,
    signed: request.headers['x-amz-date'],
  };
  limitAnswer(response.body);
  return { response };
}
