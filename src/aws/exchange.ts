/**
 * One call through an SDK client: its abort signal, and what came back over the wire. The head of the answer is recorded
 * below the SDK's deserializer, because neither SDK generation exposes the headers of good answers, and the older one
 * hides even the status of an answer that it cannot parse.
 */
import type { SeenResponse } from './outcomes.ts';

export interface Exchange {
  readonly abortSignal: AbortSignal;
  response: SeenResponse | undefined;
}

type Next = (args: object) => Promise<{ readonly response?: unknown }>;

/** The part of a command's middleware stack that is used here; the two generations type it differently. */
interface Stack {
  add(
    middleware: (next: Next) => Next,
    options: { readonly step: 'deserialize'; readonly priority: 'low'; readonly name: string },
  ): void;
}

/** Adds a middleware to the command that records the head of its answer in `exchange`. */
export function record<Command extends { readonly middlewareStack: object }>(
  command: Command,
  exchange: Exchange,
): Command {
  const stack = command.middlewareStack as Stack;
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      exchange.response = readHead(args, result.response);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'recordHead' },
  );
  return command;
}

function readHead(args: object, response: unknown): SeenResponse | undefined {
  const { request } = args as { readonly request?: { readonly headers?: Headers } };
  const { statusCode, headers } = (response ?? {}) as {
    readonly statusCode?: number;
    readonly headers?: Headers;
  };
  if (statusCode === undefined) return undefined;
  const signedMs = signedAt(request?.headers?.['x-amz-date']);
  return { status: statusCode, headers: headers ?? {}, signedMs };
}

type Headers = Readonly<Record<string, string>>;

/** X-Amz-Date is ISO 8601 without separators: `20260921T141320Z`. */
function signedAt(stamp = ''): number | undefined {
  const marked = stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/u, '$1-$2-$3:$4:$5');
  const ms = Date.parse(marked);
  return Number.isNaN(ms) ? undefined : ms;
}
