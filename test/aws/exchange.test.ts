/** The chain of a call: made once for each kind of call of a client, with the limit of an answer at its end. */
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CallEnd } from '../../src/aws/call-end.ts';
import { ANSWER_BYTES_MAX, withAnswerLimit } from '../../src/aws/client/answer-limit.ts';
import { sendCommand } from '../../src/aws/exchange.ts';
import type { Exchange } from '../../src/aws/exchange.ts';

type Middleware = () => (
  args: object,
) => Promise<{ readonly response: { readonly body: unknown } }>;

/** A server whose answer has so many bytes, in pieces of a megabyte at most. */
async function answering(bytes: number): Promise<string> {
  const server = createServer((_request, response) => {
    for (let left = bytes; left > 0; left -= 1_000_000)
      response.write(Buffer.alloc(Math.min(left, 1_000_000)));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answerOf(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, resolve).once('error', reject).end();
  });
}

async function bytesOf(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  return bytes;
}

/** What the clients and commands of both generations have, as far as a chain needs it; `made` counts chains. */
function kinds(url: string) {
  const made: string[] = [];
  const handler = {
    handle: async () => {
      const body = await answerOf(url);
      return { response: { statusCode: 200, headers: { date: 'today' }, body } };
    },
  };
  class Command {
    readonly input: object;
    #middleware: Middleware | undefined;
    readonly middlewareStack = {
      add: (middleware: Middleware): void => {
        this.#middleware = middleware;
      },
    };
    constructor(input: object) {
      this.input = input;
    }
    resolveMiddleware(): (args: never) => Promise<{ readonly output: unknown }> {
      made.push(this.constructor.name);
      const last = this.#middleware!();
      return async (args) => {
        const { input, exchange } = args as { readonly input: object; readonly exchange: Exchange };
        const request = { headers: { 'x-amz-date': 'signed' } };
        const { response } = await last({ request, exchange });
        return { output: { input, bytes: await bytesOf(response.body as IncomingMessage) } };
      };
    }
  }
  class Other extends Command {}
  const client = () => ({ middlewareStack: {}, config: { requestHandler: handler } });
  return { made, client, Command, Other };
}

const exchange = (): Exchange => ({ end: new CallEnd(), response: undefined });

test('a chain is made once for each kind of call of each client, and each call has its own input', async () => {
  const { made, client, Command, Other } = kinds(await answering(3));
  const [one, two] = [client(), client()];
  const send = (to: typeof one, command: InstanceType<typeof Command>): Promise<unknown> =>
    sendCommand(to, command, exchange());
  expect(await send(one, new Command({ call: 1 }))).toEqual({ input: { call: 1 }, bytes: 3 });
  expect(await send(one, new Command({ call: 2 }))).toEqual({ input: { call: 2 }, bytes: 3 });
  await send(one, new Other({}));
  await send(one, new Other({}));
  await send(two, new Command({}));
  await send(one, new Command({}));
  expect(made).toEqual(['Command', 'Other', 'Command']);
});

test('the head of an answer is recorded, with the date that its request was signed with', async () => {
  const { client, Command } = kinds(await answering(3));
  const of = exchange();
  await sendCommand(client(), new Command({}), of);
  expect(of.response).toEqual({ status: 200, headers: { date: 'today' }, signed: 'signed' });
});

describe('an endless answer', () => {
  test('ends the call', async () => {
    // What came with its head is not counted: less than a megabyte.
    const { client, Command } = kinds(await answering(ANSWER_BYTES_MAX + 1_000_000));
    const sent = sendCommand(client(), new Command({}), exchange());
    await expect(sent).rejects.toThrow('the answer is larger than 4 MB');
  });

  test('ends the requests of work that asks for the limit, and no others', async () => {
    const url = await answering(ANSWER_BYTES_MAX + 1);
    await expect(withAnswerLimit(async () => bytesOf(await answerOf(url)))).rejects.toThrow(
      'the answer is larger than 4 MB',
    );
    expect(await bytesOf(await answerOf(url))).toBe(ANSWER_BYTES_MAX + 1);
    const fits = await answering(ANSWER_BYTES_MAX);
    expect(await withAnswerLimit(async () => bytesOf(await answerOf(fits)))).toBe(ANSWER_BYTES_MAX);
  });
});
