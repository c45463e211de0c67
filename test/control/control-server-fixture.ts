/** A control server on a socket in a directory of its own, and raw ways to talk to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { createControlServer } from '../../src/control/http/server.ts';
import type { ControlServerOptions } from '../../src/control/http/server.ts';
import { RunLog } from '../../src/jobs/files/run-log.ts';
import type { AdHocJob } from '../../src/control/routes/requests.ts';
import type { TrackedJob } from '../../src/control/routes/tracked-requests.ts';
import type { JobDefinition } from '../../src/core/model/job.ts';
import { OperatorInMemory } from './operator-in-memory.ts';

export interface Fixture {
  readonly operator: OperatorInMemory;
  readonly directory: string;
  readonly socketPath: string;
  readonly close: () => Promise<void>;
}

export async function serve(options: Partial<ControlServerOptions> = {}): Promise<Fixture> {
  const directory = await temporaryDirectory();
  const operator = new OperatorInMemory();
  const socketPath = join(directory, 'agent.sock');
  const server = createControlServer({
    operator,
    socketPath,
    version: '0.1.0',
    openLog: (job, run, stream) =>
      new RunLog(join(directory, `${job}-${run}.${stream === 'stdout' ? 'out' : 'err'}`)),
    makeDefinition,
    makeTracked,
    adHoc: () => ({ policy: 'group', agentUid: process.getuid?.() }),
    plainDetail: (text) => text.trim(),
    ...options,
  });
  await server.listen();
  onTestFinished(() => server.close());
  return { operator, directory, socketPath, close: () => server.close() };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'control-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

export function makeDefinition(body: AdHocJob): JobDefinition | string {
  if (body.progress?.parser === 'regex' && body.progress.pattern === undefined) {
    return 'progress.pattern: is missing';
  }
  return {
    name: body.name,
    command: body.command,
    environment: body.environment ?? {},
    ...(body.workingDirectory === undefined ? {} : { workingDirectory: body.workingDirectory }),
    autostart: false,
    progress: { parser: 'none' },
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
  };
}

export function makeTracked(
  bodies: readonly TrackedJob[],
): Promise<readonly (JobDefinition | string)[]> {
  return Promise.resolve(
    bodies.map(({ name, pid, statusFile }) => {
      if (pid === 999) return 'pid: there is no process 999';
      const made = makeDefinition({ name, command: ['unused'] });
      if (typeof made === 'string') return made;
      return {
        ...made,
        command: [],
        tracked:
          statusFile === undefined ? { by: 'report' } : { by: 'status-file', path: statusFile },
      };
    }),
  );
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

export function call(
  socketPath: string,
  method: string,
  path: string,
  body?: string | Buffer,
  contentType: string | undefined = 'application/json',
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': contentType };
    const request = httpRequest({ socketPath, method, path, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(pieces).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined,
        });
      });
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are; resolves with all that came back until the other end closed. */
export function sendRaw(socketPath: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let text = '';
    socket.on('data', (piece) => (text += piece.toString()));
    socket.once('close', () => resolve(text));
    socket.once('error', () => resolve(text));
    socket.write(bytes);
  });
}
