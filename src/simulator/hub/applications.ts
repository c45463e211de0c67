/** The operations on application states: NOT_STARTED, IN_PROGRESS, COMPLETED. There is no FAILED. */
import { resourceNotFound, ServiceError } from '../lib/errors.ts';
import type { ApplicationState } from './records.ts';
import { hubShapes } from './shapes.ts';
import { PAGE_SIZE } from './streams.ts';
import type { HubContext } from './context.ts';
import type { Operation } from '../lib/operation.ts';
import { defined } from '../lib/defined.ts';

export function applicationOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  const { records } = hub;
  return [
    hub.write('NotifyApplicationState', hubShapes.NotifyApplicationState, (input, { now }) => {
      const { unknownApplication } = hub.behaviour;
      if (unknownApplication !== 'accept' && !records.applications.has(input.ApplicationId)) {
        if (unknownApplication === 'not-found') {
          throw resourceNotFound(`The application ${input.ApplicationId}`);
        }
        throw new ServiceError(
          'PolicyErrorException',
          'Migration Hub has no access to AWS Application Discovery Service.',
        );
      }
      return () => {
        records.applications.set(input.ApplicationId, {
          status: input.Status,
          updatedMs: input.UpdateDateTime ?? now,
        });
      };
    }),

    hub.read('DescribeApplicationState', hubShapes.DescribeApplicationState, (input) => {
      const state = records.applications.get(input.ApplicationId);
      if (state === undefined) throw resourceNotFound(`The application ${input.ApplicationId}`);
      return shown(state);
    }),

    hub.read('ListApplicationStates', hubShapes.ListApplicationStates, (input, { now }) => {
      const { ApplicationIds: wanted } = input;
      const all = [...records.applications].filter(
        ([id]) => wanted === undefined || wanted.includes(id),
      );
      const scope = `ListApplicationStates|${JSON.stringify(wanted ?? [])}`;
      const size = input.MaxResults ?? PAGE_SIZE;
      const page = hub.pager.page(all, size, scope, input.NextToken, now);
      return {
        ApplicationStateList: page.items.map(([id, state]) => ({
          ApplicationId: id,
          ...shown(state),
        })),
        ...defined({ NextToken: page.next }),
      };
    }),
  ];
}

function shown(state: ApplicationState): Readonly<Record<string, unknown>> {
  return { ApplicationStatus: state.status, LastUpdatedTime: state.updatedMs / 1_000 };
}
