/**
 * HTTP over the agent's socket, as the commands need it: an answer, or a `CommandFailure` whose message
 * names the remedy and whose exit code is that of the table.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { defined } from '../../core/lib/defined.ts';
import { nearest } from '../../config/lib/suggest.ts';
import { CommandFailure } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';

export interface Client {
  get<Document>(path: string): Promise<Document>;
  post<Document>(path: string, body?: unknown): Promise<Document>;
  /** The pieces of an answer that may go on for hours, until `signal` aborts. */
  stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The agent answered, and refused. */
export class Refusal extends CommandFailure {
  readonly code: string;

  constructor(code: string, message: string) {
    super(EXIT_OF_CODE[code] ?? EXIT.jobFailed, message);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** Nothing answers on the socket. May pass: an agent that restarts is away for a moment. */
export class NoDaemon extends CommandFailure {
  constructor(message: string, cause: unknown) {
    super(EXIT.noDaemon, message, { cause });
    this.name = 'NoDaemon';
  }
}

const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  'no-such-job': EXIT.noSuchJob,
  invalid: EXIT.usage,
};

/**
 * Not by `import`, which reads every export of the module: one of them loads the whole of undici, a quarter of what a command
 * costs.
 */
const { request: httpRequest } = process.getBuiltinModule('node:http');

/** An agent answers from memory; if it has not after this long, it hangs. */
const ANSWER_MS_MAX = 30_000;
/** Nothing of the request is sent while the socket's backlog is full, so a retry repeats nothing. */
const QUEUE_MS_MAX = 10_000;
const RETRY_MS = 20;

/** The path may still be looked for: what fails then fails with the first request. */
export function createClient(socketPath: string | Promise<string>): Client {
  const whole = async <Document>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Document> => {
    const socket = await socketPath;
    const response = await send(socket, method, path, body);
    try {
      return (await readJson(response, socket)) as Document;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'no-such-job') throw error;
      throw await withSuggestion(error, names);
    }
  };
  const names = async (): Promise<readonly string[]> => {
    return (await whole<{ names: readonly string[] }>('GET', '/v1/names')).names;
  };
  return {
    get: (path) => whole('GET', path),
    post: (path, body = {}) => whole('POST', path, body),
    stream: async function* stream(path, signal) {
      const socket = await socketPath;
      const response = await send(socket, 'GET', path, undefined, signal);
      response.setTimeout(0);
      if (response.statusCode !== 200) await readJson(response, socket);
      try {
        yield* response as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw new NoDaemon('the agent closed the connection', error);
      }
    },
  };
}

/** A job's name as a part of a path. */
export function jobPath(name: string, rest = ''): string {
  return `/v1/jobs/${encodeURIComponent(name)}${rest}`;
}

/** Many clients at once fill the socket's backlog for a moment: EAGAIN, connect(2). */
async function send(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const giveUpAt = performance.now() + QUEUE_MS_MAX;
  for (;;) {
    try {
      return await sendOnce(socketPath, method, path, body, signal);
    } catch (error) {
      const cause = error instanceof NoDaemon ? (error.cause as NodeJS.ErrnoException) : undefined;
      if (cause?.code !== 'EAGAIN' || performance.now() > giveUpAt) throw error;
    }
    await sleep(RETRY_MS);
  }
}

function sendOnce(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json' };
    const timeout = ANSWER_MS_MAX;
    const request = httpRequest({
      ...{ socketPath, method, path, headers, timeout },
      ...defined({ signal }),
    });
    request.once('response', resolve);
    request.once('timeout', () =>
      request.destroy(new Error(`no answer in ${ANSWER_MS_MAX / 1000} s`)),
    );
    request.once('error', (error) => reject(unreachable(socketPath, error)));
    request.end(text);
  });
}

async function readJson(response: IncomingMessage, socketPath: string): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let document: unknown;
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) pieces.push(piece);
    document = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    throw new NoDaemon(`what answers on ${socketPath} is not migration-agent`, error);
  }
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return document;
  const { error } = document as { error?: { code?: string; message?: string } };
  const message = error?.message === undefined ? undefined : inWordsOfOptions(error.message);
  throw new Refusal(error?.code ?? 'unknown', message ?? `the agent answered ${status}`);
}

/** A key of the request means nothing on a command line: the message names the option instead. */
function inWordsOfOptions(message: string): string {
  return message.replaceAll(
    /(^|; )(?:body|query)(?:\.|: )(?:(\w+)([.:]))?/g,
    (_match, before: string, key: string | undefined, after: string | undefined) =>
      `${before}${key === undefined ? '' : (OPTION_OF_KEY[key] ?? key)}${after ?? ''}`,
  );
}

const OPTION_OF_KEY: Readonly<Record<string, string>> = {
  progress: '--progress',
  environment: '--env',
  workingDirectory: '--cwd',
  user: '--user',
  migrationHub: '--migration-hub',
  run: '--run',
  grace: '--grace',
  pid: '--pid',
  unit: '--unit',
  statusFile: '--status-file',
  stallAfter: '--stall-after',
  percent: '--percent',
  detail: '--detail',
  status: '--status',
  destination: '--to',
};

/** Names the job that was probably meant, if one of the agent's jobs is similar. */
async function withSuggestion(
  refusal: Refusal,
  names: () => Promise<readonly string[]>,
): Promise<Refusal> {
  const quoted = /no job ("(?:[^"\\]|\\.)*")/.exec(refusal.message)?.[1];
  if (quoted === undefined) return refusal;
  const meant = nearest(JSON.parse(quoted) as string, await names());
  if (meant === undefined) return refusal;
  return new Refusal(refusal.code, `${refusal.message}; did you mean ${JSON.stringify(meant)}?`);
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): NoDaemon {
  return new NoDaemon(unreachableMessage(socketPath, error), error);
}

function unreachableMessage(socketPath: string, error: NodeJS.ErrnoException): string {
  const messages: Readonly<Record<string, string>> = {
    ENOENT: `no daemon: ${socketPath} does not exist (is migration-agent running? --socket names another)`,
    ECONNREFUSED: `no daemon answers on ${socketPath} (it has ended; see systemctl status migration-agent)`,
    EACCES: `permission denied on ${socketPath} (be root, or a member of the group that owns it)`,
  };
  return messages[error.code ?? ''] ?? `no daemon answers on ${socketPath}: ${error.message}`;
}
