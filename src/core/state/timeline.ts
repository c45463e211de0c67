/** Adds events to the timeline: what the log shows, and what the history of a job keeps. */
import { defined } from '../lib/defined.ts';
import type { Now } from '../lib/time.ts';
import type { Run } from '../model/job.ts';
import type { EventName, FieldsOf, NoOther } from '../model/timeline.ts';
import type { PersistentState } from './persistent-state.ts';

export class Timeline {
  readonly #state: PersistentState;

  constructor(state: PersistentState) {
    this.#state = state;
  }

  add<Event extends EventName, Fields extends FieldsOf<Event>>(
    event: Event,
    now: Now,
    fields: Fields & NoOther<Fields, Event>,
    run?: Run,
  ): void {
    this.#state.addEvent({ event, at: now, ...defined({ job: run?.job, run: run?.id }), fields });
  }
}
