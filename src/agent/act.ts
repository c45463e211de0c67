/** Performs actions. The result of an action comes back through the inbox as an event. */
import type { Action, Reply } from '../core/model/action.ts';
import type { Event } from '../core/model/event.ts';
import type { Clock, Gates, JobHost, Services, TrackedWork } from '../ports.ts';

export interface Outside {
  readonly clock: Clock;
  readonly gates: Gates;
  readonly services: Services;
  readonly jobs: JobHost;
  readonly tracked: TrackedWork;
  readonly post: (event: Event) => void;
  readonly answer: (request: number, reply: Reply) => void;
  readonly exit: (code: number) => void;
}

export function createAct(outside: Outside): (action: Action) => void {
  return (action) => {
    switch (action.type) {
      case 'ask-gate':
        outside.gates.ask(action.operation, action.slots);
        break;
      case 'return-slots':
        outside.gates.giveBack(action.operation, action.slots);
        break;
      case 'call':
        call(action, outside);
        break;
      case 'start-run':
        outside.jobs.start(action.run);
        break;
      case 'adopt-run':
        outside.jobs.adopt(action.run);
        break;
      case 'signal-tree':
        outside.jobs.signalTree(action.run, action.signal);
        break;
      case 'check-tree':
        outside.jobs.checkTree(action.run);
        break;
      case 'watch-run':
        outside.tracked.watch(action.run);
        break;
      case 'release-run':
        outside.tracked.release(action.run);
        break;
      case 'settle-run':
        outside.jobs.settled?.(action.run);
        break;
      case 'forget-run':
        outside.jobs.forget(action.run);
        break;
      case 'answer':
        outside.answer(action.request, action.reply);
        break;
      case 'exit':
        outside.exit(action.code);
        break;
    }
  };
}

function call(action: Extract<Action, { type: 'call' }>, outside: Outside): void {
  const sentAt = outside.clock.now();
  outside.services.send(action.call).then(
    (outcome) =>
      outside.post({ type: 'call-settled', id: action.id, call: action.call, outcome, sentAt }),
    (error: unknown) => {
      // The port never rejects. If it does because of a bug, the call must still be settled.
      const reason = `bug in the agent: ${error instanceof Error ? error.message : String(error)}`;
      const outcome = { kind: 'unavailable', reason } as const;
      outside.post({ type: 'call-settled', id: action.id, call: action.call, outcome, sentAt });
    },
  );
}
