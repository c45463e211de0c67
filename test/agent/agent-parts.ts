/** An agent whose ports are in memory and in virtual time. */
import { Agent } from '../../src/agent/agent.ts';
import type { AgentParts } from '../../src/agent/agent.ts';
import { Inbox } from '../../src/agent/inbox.ts';
import { EMPTY_CALENDAR } from '../../src/core/runs/schedules.ts';
import {
  AcceptingServices,
  blindTracking,
  MemoryStore,
  ObedientJobs,
  memoryLog,
  openGates,
  recordingNotifier,
  virtualClock,
} from '../support/ports.ts';
import { definition, settings } from '../support/settings.ts';
import { VirtualTime } from '../support/virtual-time.ts';

export function createParts(
  store = new MemoryStore(),
  over: Partial<AgentParts> = {},
  time = new VirtualTime(),
  clock = virtualClock(time),
) {
  const inbox = new Inbox(clock);
  const post = inbox.post.bind(inbox);
  const services = new AcceptingServices(time);
  const jobs = new ObedientJobs(post);
  const log = memoryLog();
  const notifier = recordingNotifier();
  const agent = new Agent({
    version: '0',
    pid: 1,
    settings: settings({ jobs: new Map([['copy', definition('copy')]]) }),
    clock,
    random: () => 0.5,
    inbox,
    store,
    gates: openGates(post),
    services,
    jobs,
    tracked: blindTracking(),
    notifier,
    log,
    reload: () => Promise.resolve({ ok: true, message: '' }),
    calendar: EMPTY_CALENDAR,
    ...over,
  });
  return { agent, inbox, jobs, log, notifier, services, store, time };
}

export type Parts = ReturnType<typeof createParts>;
