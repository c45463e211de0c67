/** What the answer to a call means beyond its reporter. `settled()` returns it, and the planner routes it. */
import type { Reply } from './action.ts';
import type { PolledTask } from './call.ts';
import type { RequestId } from './event.ts';
import type { Run } from './job.ts';

export type Fact =
  /** A poll brought a task. */
  | { readonly type: 'task-received'; readonly task: PolledTask; readonly workerGroup: string }
  /** The first report of a task was accepted: its job may start. */
  | { readonly type: 'task-acknowledged'; readonly run: Run }
  /** A report was accepted of a task of which nobody knew whether it was still this agent's. */
  | { readonly type: 'task-confirmed'; readonly run: Run }
  /** The service answered `canceled`. */
  | { readonly type: 'task-canceled'; readonly run: Run; readonly reason: string }
  /** The service does not know the task, or no longer: it is not this agent's. */
  | { readonly type: 'task-gone'; readonly run: Run; readonly reason: string }
  /** AWS Data Pipeline asked the task runner to terminate. */
  | { readonly type: 'runner-terminated' }
  /** A page of a task's history was read, or could not be. */
  | { readonly type: 'history-read'; readonly request: RequestId; readonly reply: Reply };
