/**
 * One endpoint: where it is, what it takes and answers, and who serves it. The same description serves the
 * request and the OpenAPI document, so the two cannot differ.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

import type { z } from 'zod';

import type { Peer } from './peer.ts';
import { validate } from './problem.ts';
import { readBody } from './read-body.ts';

export interface Answer {
  readonly status: 200 | 201 | 202;
  readonly body: unknown;
}

/** What a handler is given: everything checked. */
export interface Asked<Body, Query> {
  /** The job's name, where the path has one. */
  readonly name: string;
  readonly body: Body;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Who asks, where the host can tell. */
  readonly peer: Peer | undefined;
  /** For answers that go on: ends when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  readonly response: ServerResponse;
}

export type Streamed = 'streamed';

interface Description<Body, Query> {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/v1/jobs/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Where a body may be larger than is usual. */
  readonly bodyBytesMax?: number;
  readonly status: 200 | 201 | 202;
  /** Absent: the answer is no JSON, and its kind is `mediaType`. */
  readonly reply?: z.ZodType;
  readonly mediaType?: string;
  /** An answer that may go on for hours; such are counted. */
  readonly stream?: true;
  /** An operator changes something by it: who did is said in the log. */
  readonly audited?: true;
  readonly handle: (asked: Asked<Body, Query>) => Promise<unknown>;
}

export interface Route extends Omit<Description<never, never>, 'handle' | 'query' | 'body'> {
  readonly query: z.ZodType;
  readonly body?: z.ZodType;
  /** The name in the path, still encoded; `undefined` where the path is another's. */
  readonly match: (path: string) => string | undefined;
  readonly serve: (request: IncomingMessage, asked: Unchecked) => Promise<Answer | Streamed>;
}

interface Unchecked {
  readonly name: string;
  readonly query: URLSearchParams;
  readonly peer: Peer | undefined;
  /** Called before the request is acted upon, when all of it is known to be right. */
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
        // A GET has no body schema, and its handler looks at none.
        body:
          body === undefined
            ? (undefined as Body)
            : validate(body, await readBody(request, description.bodyBytesMax), 'body'),
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
