/** Reads the JSON body of a request: bounded in size, of the right kind, and a problem for everything else. */
import type { IncomingMessage } from 'node:http';

import { Problem } from './problem.ts';

/** Far above any command line that Linux would start (a single argument is 128 KiB at most). */
const BODY_BYTES_MAX = 1024 * 1024;

/** Room for three of the largest bodies at once: many clients together cost no more memory than that. */
const BODIES_BYTES_MAX = 48 * 1024 * 1024;

/** Counts the bytes of all bodies that are being received. */
export class BodyMemory {
  #bytes = 0;

  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= BODIES_BYTES_MAX) return;
    throw new Problem('busy', 'too many large requests are being received; try again', {
      'retry-after': '1',
    });
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** The parsed body; an absent one is an empty object. */
export async function readBody(
  request: IncomingMessage,
  memory: BodyMemory,
  bytesMax = BODY_BYTES_MAX,
): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooBig(bytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      memory.take(chunk.length);
      if (bytes > bytesMax) throw tooBig(bytesMax);
      chunks.push(chunk);
    }
    return bytes === 0 ? {} : parse(request, chunks);
  } finally {
    memory.giveBack(bytes);
  }
}

function parse(request: IncomingMessage, chunks: readonly Buffer[]): unknown {
  if (!isJson(request.headers['content-type'])) {
    throw new Problem('unsupported-media-type', 'send the body as application/json');
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Problem(
      'invalid',
      `body: not valid JSON (${error instanceof Error ? error.message : 'unreadable'})`,
    );
  }
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

/** The answer goes out before the body has ended; the connection is of no use afterwards. */
function tooBig(bytesMax: number): Problem {
  return new Problem('too-big', `a body has at most ${bytesMax} bytes`);
}
