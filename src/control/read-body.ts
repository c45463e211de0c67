/** Reads the JSON body of a request: bounded in size, of the right kind, and a problem for everything else. */
import type { IncomingMessage } from 'node:http';

import { Problem } from './problem.ts';

/** Far above any command line that Linux would start (a single argument is 128 KiB at most). */
export const BODY_BYTES_MAX = 1024 * 1024;

/** The parsed body; an absent one is an empty object. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooBig();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooBig();
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  if (!isJson(request.headers['content-type'])) {
    throw new Problem('unsupported-media-type', 'send the body as application/json');
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Problem(
      'invalid',
      `body: no valid JSON (${error instanceof Error ? error.message : 'unreadable'})`,
    );
  }
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

/** The answer goes out before the body has ended; the connection is of no use afterwards. */
function tooBig(): Problem {
  return new Problem('too-big', `a body has at most ${BODY_BYTES_MAX} bytes`);
}
