/**
 * One endpoint: its path, what it takes and answers, and its handler. Requests and the OpenAPI document use the same
 * description, so the two cannot differ.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type * as z from 'zod';

import type { Peer } from './peer.ts';
import { validate } from './problem.ts';
import type { ProblemCode } from './problem.ts';
import { readBody } from './read-body.ts';
import type { BodyMemory } from './read-body.ts';

export interface Answer {
  readonly status: 200 | 201 | 202;
  readonly body: unknown;
}

/** What a handler gets, all of it validated. */
interface Asked<Body, Query> {
  /** The job's name, if the path has one. */
  readonly name: string;
  readonly body: Body;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Who sends the request, if the host can tell. */
  readonly peer: Peer | undefined;
  /** For streams: aborts when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

export type Streamed = 'streamed';

/**
 * Only the OpenAPI document needs the schemas of answers. They are loaded with it: making them takes some per cent of the CPU
 * time of a start.
 */
export type ReplyName =
  'history' | 'job' | 'jobs' | 'names' | 'outbox' | 'output' | 'reply' | 'status' | 'timeline';

interface Description<Body, Query> {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/v1/jobs/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** If a body may be larger than the default. */
  readonly bodyBytesMax?: number;
  readonly status: 200 | 201 | 202;
  /** The schema of the answer, or its name in documents.ts. Absent: the answer is not JSON but `mediaType`. */
  readonly reply?: z.ZodType | ReplyName;
  readonly mediaType?: string;
  /** Headers that the handler reads, each with its description. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** How it may be refused, beside the ways that follow from method, path and body. */
  readonly problems?: readonly ProblemCode[];
  /** An answer that may last for hours; the number of streams is limited. */
  readonly stream?: true;
  /** It changes the agent as a whole: not for every member of the socket's group (ad-hoc.ts). */
  readonly privileged?: true;
  /** It changes something: the log shows who requested it. */
  readonly audited?: true;
  /** Its handler asks who the caller is; `audited` routes always know. */
  readonly needsPeer?: true;
  readonly handle: (asked: Asked<Body, Query>) => Promise<unknown>;
}

export interface Route extends Omit<Description<never, never>, 'handle' | 'query' | 'body'> {
  readonly query: z.ZodType;
  readonly body?: z.ZodType;
  /** The name in the path, still encoded; `undefined` if the path does not match. */
  readonly match: (path: string) => string | undefined;
  readonly serve: (request: IncomingMessage, asked: Unchecked) => Promise<Answer | Streamed>;
}

interface Unchecked {
  readonly name: string;
  readonly query: URLSearchParams;
  readonly peer: Peer | undefined;
  /** The memory that all requests share for their bodies. */
  readonly bodies: BodyMemory;
  /** Called when the whole request has been validated, before the handler. */
  readonly audit: () => void;
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

export function route<Body, Query>(description: Description<Body, Query>): Route {
  const pattern = new RegExp(`^${description.path.replace('{name}', '([^/]+)')}$`);
  return {
    ...description,
    match: (path) => {
      const match = pattern.exec(path);
      return match === null ? undefined : (match[1] ?? '');
    },
    serve: async (request, unchecked) => {
      const query = validate(description.query, Object.fromEntries(unchecked.query), 'query');
      const body = description.body;
      const asked = {
        name: unchecked.name,
        query,
        headers: request.headers,
        // A GET has no body schema, and its handler reads no body.
        body:
          body === undefined
            ? (undefined as Body)
            : validate(
                body,
                await readBody(request, unchecked.bodies, description.bodyBytesMax),
                'body',
              ),
        peer: unchecked.peer,
        signal: unchecked.signal,
        response: unchecked.response,
      };
      unchecked.audit();
      const result = await description.handle(asked);
      if (description.reply === undefined) return 'streamed';
      return { status: description.status, body: result };
    },
  };
}
