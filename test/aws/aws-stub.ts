/**
 * A server that answers as a test wants: well, badly, slowly or not at all. It speaks HTTP and nothing of
 * AWS: what the real services say is the simulator's business.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServices } from '../../src/aws/services.ts';
import type { ServicesOptions, TimeLimits } from '../../src/aws/client/options.ts';
import type { Call } from '../../src/core/model/call.ts';
import type { Services } from '../../src/ports.ts';

export interface SeenRequest {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly socket: Socket;
}

export type Answerer = (response: ServerResponse, request: SeenRequest) => void;

export interface Stub {
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  answer: Answerer;
  close(): Promise<void>;
}

export async function startStub(answer: Answerer = ok({})): Promise<Stub> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const seen = read(request, Buffer.concat(chunks).toString());
      requests.push(seen);
      stub.answer(response, seen);
    });
  });
  // Only the client gives up a connection.
  server.keepAliveTimeout = 0;
  await listen(server);
  const { port } = server.address() as AddressInfo;
  const stub: Stub = {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    answer,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}

export async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function read(request: IncomingMessage, text: string): SeenRequest {
  const target = request.headers['x-amz-target'];
  return {
    target: typeof target === 'string' ? target : '',
    headers: request.headers,
    url: request.url ?? '',
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    socket: request.socket,
  };
}

/** A well-formed answer of awsJson1_1. */
export function ok(body: object, headers: Readonly<Record<string, string>> = {}): Answerer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A well-formed error of awsJson1_1. */
export function fail(
  status: number,
  name: string,
  body: object = {},
  headers: Readonly<Record<string, string>> = {},
): Answerer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers });
    response.end(JSON.stringify({ __type: name, message: `${name} said`, ...body }));
  };
}

/** What a proxy or a portal answers. */
export function page(status: number, headers: Readonly<Record<string, string>> = {}): Answerer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers });
    response.end(`<html><body>${status}</body></html>`);
  };
}

/** For calls that are to be answered, however slow this machine is. */
export const PATIENT: TimeLimits = {
  callMs: 90_000,
  pollMs: 90_000,
  quietPollMs: 60_000,
  connectMs: 90_000,
  credentialsMs: 90_000,
  idleMs: 20_000,
};

/** For calls that are to end at a limit. */
export const SHORT: TimeLimits = {
  callMs: 700,
  pollMs: 1400,
  quietPollMs: 600,
  connectMs: 500,
  credentialsMs: 5000,
  idleMs: 20_000,
};

export function servicesAt(url: string, options: Partial<ServicesOptions> = {}): Services {
  return createServices({
    region: 'us-west-2',
    endpoints: { migrationHub: url, migrationHubConfig: url, dataPipeline: url },
    version: '1.2.3',
    environment: { AWS_EC2_METADATA_DISABLED: 'true' },
    limits: PATIENT,
    ...options,
  });
}

/** Credentials and files of the machine that runs the tests must not matter. */
export function setEnvironment(values: Readonly<Record<string, string | undefined>> = {}): void {
  for (const name of Object.keys(process.env)) {
    if (/^AWS_|_PROXY$|_proxy$/u.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example-of-a-key',
  });
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}

const TASK = { region: 'eu-central-1', stream: 'stream', task: 'task' } as const;

/** One call of each operation. */
export const CALLS = {
  GetHomeRegion: { operation: 'GetHomeRegion' },
  CreateProgressUpdateStream: {
    operation: 'CreateProgressUpdateStream',
    region: 'eu-central-1',
    stream: 'stream',
  },
  ImportMigrationTask: { operation: 'ImportMigrationTask', ...TASK },
  NotifyMigrationTaskState: {
    operation: 'NotifyMigrationTaskState',
    ...TASK,
    status: 'IN_PROGRESS',
    percent: 40,
    detail: 'copying',
    stampS: 1_790_000_000,
    nextUpdateS: 300,
  },
  PutResourceAttributes: {
    operation: 'PutResourceAttributes',
    ...TASK,
    attributes: [{ type: 'FQDN', value: 'files01.example.com' }],
  },
  AssociateDiscoveredResource: {
    operation: 'AssociateDiscoveredResource',
    ...TASK,
    configurationId: 'd-server-0123',
  },
  AssociateSourceResource: {
    operation: 'AssociateSourceResource',
    ...TASK,
    name: 'arn:aws:s3:::source',
    description: 'where it came from',
    statusDetail: 'done',
  },
  AssociateCreatedArtifact: {
    operation: 'AssociateCreatedArtifact',
    ...TASK,
    artifact: 'arn:aws:s3:::bucket/key',
  },
  NotifyApplicationState: {
    operation: 'NotifyApplicationState',
    region: 'eu-central-1',
    application: 'd-application-0123',
    status: 'IN_PROGRESS',
    stampS: 1_790_000_000,
  },
  ListMigrationTaskUpdates: { operation: 'ListMigrationTaskUpdates', ...TASK, token: 'abc=' },
  PollForTask: { operation: 'PollForTask', workerGroup: 'files', hostname: 'host01' },
  ReportTaskProgress: {
    operation: 'ReportTaskProgress',
    taskId: 'task-1',
    percent: 40,
    detail: 'copying',
  },
  SetTaskStatus: {
    operation: 'SetTaskStatus',
    taskId: 'task-1',
    status: 'FAILED',
    errorId: 'JobFailed',
    errorMessage: 'exit code 3',
    errorStackTrace: 'last lines',
  },
  ReportTaskRunnerHeartbeat: {
    operation: 'ReportTaskRunnerHeartbeat',
    taskRunnerId: 'files-host-01',
    workerGroup: 'files',
    hostname: 'host01',
  },
} as const satisfies Readonly<Record<Call['operation'], Call>>;
