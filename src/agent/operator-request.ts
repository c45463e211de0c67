/** Turns a request of the control socket into an event for the planner. */
import type { Event, RequestId } from '../core/model/event.ts';
import type { OperatorRequest } from '../ports.ts';

export function toEvent(request: OperatorRequest, id: RequestId): Event {
  switch (request.type) {
    case 'start':
      return { ...request, type: 'start-requested', origin: 'operator', request: id };
    case 'submit':
      return { type: 'job-submitted', definition: request.definition, request: id };
    case 'cancel':
      return { ...request, type: 'cancel-requested', request: id };
    case 'history':
      return { ...request, type: 'history-requested', request: id };
    case 'track':
      return { type: 'track-requested', definitions: request.definitions, request: id };
    case 'report':
      return { type: 'reports-made', reports: request.reports, request: id };
    case 'outbox':
      return { ...request, type: 'outbox-requested', request: id };
    case 'drain':
      return { type: 'drain-requested', request: id };
    case 'claim':
      return { type: 'claim-requested', by: request.by, request: id };
    case 'resume':
      return { type: 'resume-requested', request: id };
  }
}
