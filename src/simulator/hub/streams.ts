/** The operations on progress update streams, the namespaces of migration tools. */
import { invalidInput, resourceNotFound } from '../lib/errors.ts';
import { hubShapes } from './shapes.ts';
import type { HubContext } from './context.ts';
import type { Operation } from '../lib/operation.ts';
import { defined } from '../lib/defined.ts';

/** The page size if the caller gives no MaxResults: the largest that is allowed. The documents state no default. */
export const PAGE_SIZE = 100;

export function streamOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  const { records, behaviour, pager } = hub;
  return [
    hub.write(
      'CreateProgressUpdateStream',
      hubShapes.CreateProgressUpdateStream,
      (input, { now }) => {
        const name = input.ProgressUpdateStreamName;
        const existing = records.findStream(name, now);
        if (existing?.goneAt !== undefined) {
          throw invalidInput(`The progress update stream ${name} is being deleted.`);
        }
        if (existing !== undefined && behaviour.createExistingStream === 'refuse') {
          throw invalidInput(`The progress update stream ${name} already exists.`);
        }
        return () => {
          if (existing === undefined) records.createStream(name);
        };
      },
    ),

    hub.write(
      'DeleteProgressUpdateStream',
      hubShapes.DeleteProgressUpdateStream,
      (input, { now }) => {
        const name = input.ProgressUpdateStreamName;
        if (records.findStream(name, now) === undefined) {
          throw resourceNotFound(`The progress update stream ${name}`);
        }
        return () => {
          records.deleteStream(name, now + behaviour.streamDeletionMs);
        };
      },
    ),

    hub.read('ListProgressUpdateStreams', hubShapes.ListProgressUpdateStreams, (input, { now }) => {
      const size = input.MaxResults ?? PAGE_SIZE;
      const scope = 'ListProgressUpdateStreams';
      const page = pager.page(records.streams(now), size, scope, input.NextToken, now);
      return {
        ProgressUpdateStreamSummaryList: page.items.map((stream) => ({
          ProgressUpdateStreamName: stream.name,
        })),
        ...defined({ NextToken: page.next }),
      };
    }),
  ];
}
