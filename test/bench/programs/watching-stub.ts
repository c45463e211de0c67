/** A server in place of AWS that prints when each request arrives, and hands out and cancels tasks on request. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monotonicMs } from '../monotonic.ts';
import { say } from '../program.ts';

type Order = { readonly handOut: string } | { readonly cancel: string };

/** A report of a Hub task came in. */
export interface Reported {
  readonly reported: string;
  readonly status: string;
  readonly atMs: number;
}

/** The answer `canceled` is on its way. */
export interface Canceled {
  readonly canceled: string;
  readonly atMs: number;
}

const tasks: string[] = [];
const polls: ServerResponse[] = [];
const canceled = new Set<string>();

const server = createServer((request, response) => {
  const atMs = monotonicMs();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    perform(operation, body, response, atMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

process.on('message', (order: Order) => {
  if ('cancel' in order) canceled.add(order.cancel);
  else tasks.push(order.handOut);
  handOut();
});

function perform(
  operation: string,
  body: Record<string, unknown>,
  response: ServerResponse,
  atMs: number,
): void {
  switch (operation) {
    case 'PollForTask':
      polls.push(response);
      handOut();
      break;
    case 'ReportTaskProgress': {
      const task = String(body['taskId']);
      if (canceled.has(task)) say({ canceled: task, atMs: monotonicMs() } satisfies Canceled);
      answer(response, { canceled: canceled.has(task) });
      break;
    }
    case 'NotifyMigrationTaskState': {
      answer(response, {});
      const { Status: status } = body['Task'] as { readonly Status: string };
      say({ reported: String(body['MigrationTaskName']), status, atMs } satisfies Reported);
      break;
    }
    default:
      answer(response, {});
  }
}

/** Polls wait until there is a task. */
function handOut(): void {
  if (tasks.length === 0 || polls.length === 0) return;
  const taskId = tasks.shift() ?? '';
  const attemptId = `@Copy_${taskId}_Attempt=1`;
  const fields = [{ key: 'type', stringValue: 'ShellCommandActivity' }];
  const objects = { [attemptId]: { id: attemptId, name: attemptId, fields } };
  const poll = polls.shift();
  if (poll !== undefined) {
    answer(poll, { taskObject: { taskId, pipelineId: 'df-bench', attemptId, objects } });
  }
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
