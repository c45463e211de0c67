/**
 * Calls to Data Pipeline, as SDK commands. Long polls use a client and connections of their own. Loaded at the first
 * call: importing the SDK takes a fifth of a second.
 */
import { defined } from '../core/lib/defined.ts';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  DataPipelineClient,
  type Field,
  PollForTaskCommand,
  ReportTaskProgressCommand,
  ReportTaskRunnerHeartbeatCommand,
  SetTaskStatusCommand,
  type TaskObject,
} from '@aws-sdk/client-data-pipeline';
import type { Answer, PipelineCall, PipelineField, PolledTask } from '../core/model/call.ts';
import { maskSecrets } from '../core/lib/secrets.ts';
import { atEndpoint } from './client/endpoint.ts';
import { APP_ID, clientOptions } from './client/settings.ts';
import type { ClientSettings } from './client/settings.ts';
import type { Exchange } from './exchange.ts';
import { sendCommand } from './exchange.ts';
import type { InstanceIdentity } from './instance-identity.ts';
import { pipelineErrorId, pipelineText } from './legal-text.ts';

export interface PipelineOptions extends ClientSettings {
  readonly endpoint: string | undefined;
  /** Absent: every call fails for want of it. */
  readonly region: string | undefined;
  readonly pollHandler: NodeHttpHandler;
  /** The identity of the EC2 instance, if this host is one. */
  readonly instanceIdentity: () => Promise<InstanceIdentity | undefined>;
}

export type SendToPipeline = (call: PipelineCall, exchange: Exchange) => Promise<Answer>;

export function createPipeline(options: PipelineOptions): SendToPipeline {
  const client = createClient(options);
  const pollClient = createClient({ ...options, handler: options.pollHandler });
  return async (call, exchange) => {
    if (call.operation === 'PollForTask') {
      return await poll(pollClient, call, exchange, await options.instanceIdentity());
    }
    return await report(client, call, exchange);
  };
}

export function createClient(
  options: ClientSettings & Pick<PipelineOptions, 'endpoint' | 'region'>,
): DataPipelineClient {
  const own = clientOptions(options, options.endpoint, options.region);
  const { config } = new DataPipelineClient(own);
  return new DataPipelineClient(
    defined({
      ...own,
      ...atEndpoint(config, own),
      userAgentAppId: options.appId ?? APP_ID,
    }),
  );
}

type PollCall = Extract<PipelineCall, { readonly operation: 'PollForTask' }>;

async function poll(
  client: DataPipelineClient,
  call: PollCall,
  exchange: Exchange,
  instanceIdentity: InstanceIdentity | undefined,
): Promise<Answer> {
  const input = defined({
    workerGroup: call.workerGroup,
    ...text('hostname', call.hostname, ID),
    instanceIdentity,
  });
  const output = await sendCommand(client, new PollForTaskCommand(input), exchange);
  return output.taskObject === undefined ? {} : { task: readTask(output.taskObject) };
}

async function report(
  client: DataPipelineClient,
  call: Exclude<PipelineCall, PollCall>,
  exchange: Exchange,
): Promise<Answer> {
  switch (call.operation) {
    case 'ReportTaskProgress': {
      const input = { taskId: call.taskId, ...progressFields(call.percent, call.detail) };
      const command = new ReportTaskProgressCommand(input);
      const { canceled } = await sendCommand(client, command, exchange);
      return { canceled: canceled === true };
    }
    case 'SetTaskStatus': {
      const input = defined({
        taskId: call.taskId,
        taskStatus: call.status,
        errorId: call.errorId === undefined ? undefined : pipelineErrorId(call.errorId),
        ...text('errorMessage', call.errorMessage, MESSAGE),
        ...text('errorStackTrace', call.errorStackTrace, STACK_TRACE),
      });
      await sendCommand(client, new SetTaskStatusCommand(input), exchange);
      return {};
    }
    case 'ReportTaskRunnerHeartbeat': {
      const input = defined({
        taskrunnerId: call.taskRunnerId,
        workerGroup: call.workerGroup,
        ...text('hostname', call.hostname, ID),
      });
      const command = new ReportTaskRunnerHeartbeatCommand(input);
      const { terminate } = await sendCommand(client, command, exchange);
      return { terminate: terminate === true };
    }
  }
}

/** MODEL id: 1–1,024 characters. */
const ID = { maxPoints: 1024, maxBytes: 4096, keep: 'start' } as const;
/** No length in the model; all texts share the attempt object's 15,360 bytes with its own fields. */
const MESSAGE = { maxPoints: 2000, maxBytes: 3072, keep: 'start' } as const;
/** MODEL string: 0–1,024. The last lines of stderr matter, not the first. */
const STACK_TRACE = { maxPoints: 1024, maxBytes: 2048, keep: 'end' } as const;
const DETAIL = { maxPoints: 250, maxBytes: 500, keep: 'start' } as const;

/** A member that is left out where its text is empty. */
function text<Key extends string>(
  key: Key,
  value: string | undefined,
  bounds: Parameters<typeof pipelineText>[1],
): Partial<Record<Key, string>> {
  const legal = pipelineText(maskSecrets(value ?? ''), bounds);
  return legal === '' ? {} : ({ [key]: legal } as Record<Key, string>);
}

/** Names of our own begin with `my` and are alphanumeric (developer guide, user-defined fields). */
function progressFields(
  percent: number | undefined,
  detail: string | undefined,
): { fields?: Field[] } {
  const fields: Field[] = [];
  if (percent !== undefined) fields.push({ key: 'percentComplete', stringValue: String(percent) });
  const legal = pipelineText(maskSecrets(detail ?? ''), DETAIL);
  if (legal !== '') fields.push({ key: 'myDetail', stringValue: legal });
  return fields.length === 0 ? {} : { fields };
}

function readTask(task: TaskObject): PolledTask {
  const { taskId, pipelineId, attemptId } = task;
  if (taskId === undefined || pipelineId === undefined || attemptId === undefined) {
    throw new Error('the polled task has no taskId, pipelineId or attemptId');
  }
  const objects = Object.entries(task.objects ?? {}).map(([key, object]) => ({
    id: object.id ?? key,
    name: object.name ?? key,
    fields: (object.fields ?? []).map(readField),
  }));
  return { taskId, pipelineId, attemptId, objects };
}

function readField({ key, stringValue, refValue }: Field): PipelineField {
  return defined({ key: key ?? '', stringValue, refValue });
}
