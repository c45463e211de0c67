/**
 * Builds the planner's parts: each piece of state has one owner here, and each owner gets what it uses and nothing more.
 * Only the planner holds all of them.
 */
import { HubConnection } from './hub/connection.ts';
import { HistoryReader } from './hub/history.ts';
import { PromiseBudget } from './hub/promise-budget.ts';
import { HubSetupReporter } from './hub/setup-reporter.ts';
import { HubTaskReporters } from './hub/task-reporters.ts';
import type { Now } from './lib/time.ts';
import { AgentLifecycle } from './lifecycle/agent-lifecycle.ts';
import { ClockWatch } from './lifecycle/clock-watch.ts';
import type { Settings } from './model/settings.ts';
import { OutboxRequests } from './operator/outbox-requests.ts';
import { RunnerHeartbeat } from './pipeline/runner-heartbeat.ts';
import { Deliveries } from './runs/deliveries.ts';
import { HostEvents } from './runs/host-events.ts';
import { RunLifecycle } from './runs/lifecycle.ts';
import { RunRequests } from './runs/requests.ts';
import { RunRetention } from './runs/retention.ts';
import { SameWork } from './runs/same-work.ts';
import { Schedules } from './runs/schedules.ts';
import type { Calendar } from './runs/schedules.ts';
import { TaskLeases } from './runs/task-leases.ts';
import { RunTracking } from './runs/tracking.ts';
import { CallScheduler } from './scheduling/call-scheduler.ts';
import { Pacing } from './scheduling/pacing.ts';
import { Reporters } from './scheduling/reporters.ts';
import { ResumeHold } from './scheduling/resume-hold.ts';
import { ServiceClock } from './scheduling/service-clock.ts';
import { Durability } from './state/durability.ts';
import type { PersistentState } from './state/persistent-state.ts';
import { Shutdown } from './state/shutdown.ts';
import { StampFloor } from './state/stamp-floor.ts';
import { Timeline } from './state/timeline.ts';

export type Owners = ReturnType<typeof createOwners>;

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the type is the list below, which would only be repeated
export function createOwners(
  state: PersistentState,
  current: Settings,
  now: Now,
  random: () => number,
  calendar: Calendar,
) {
  /** Written by the planner alone. */
  const settings: { current: Settings } = { current };
  const timeline = new Timeline(state);
  const durability = new Durability();
  const shutdown = new Shutdown();
  const pacing = new Pacing();
  const reporters = new Reporters();
  const resumeHold = new ResumeHold();
  const clock = new ServiceClock({ state, timeline }, now);
  const clocks = new ClockWatch({ state, clock, pacing, reporters, resumeHold, timeline }, now);
  const calls = new CallScheduler({
    ...{ settings, pacing, reporters, durability, resumeHold, timeline, random },
  });

  const stampFloor = new StampFloor(state, clock.nowMs(now));
  const hub = new HubConnection({ state, settings, reporters, timeline });
  const promises = new PromiseBudget({ state, settings, pacing, reporters, timeline });
  const hubTasks = new HubTaskReporters({
    ...{ state, settings, hub, promises, durability, shutdown, clock, reporters, timeline },
    ...{ stampFloor, random, startedAt: now },
  });
  const pipelineTasks = {
    ...{ state, settings, durability, shutdown, resumeHold, pacing, timeline, random },
  };
  const heartbeat = new RunnerHeartbeat({ state, settings, random });
  reporters.add(new HubSetupReporter({ settings, hub, timeline, random }));
  reporters.add(heartbeat);

  const deliveries = new Deliveries(
    { state, settings, clock, promises, reporters, hubTasks, pipelineTasks },
    now,
  );
  const sameWork = new SameWork({ state, settings });
  const runs = new RunLifecycle(
    { state, settings, sameWork, deliveries, durability, resumeHold, timeline },
    now,
  );
  const { index } = runs;
  const requests = new RunRequests({ state, settings, sameWork }, runs);

  return {
    ...{
      state,
      settings,
      random,
      timeline,
      durability,
      shutdown,
      pacing,
      reporters,
      clock,
      stampFloor,
      clocks,
    },
    ...{ calls, hub, promises, heartbeat, runs, requests },
    agent: new AgentLifecycle({
      ...{ state, settings, shutdown, pacing, reporters, timeline, calls, runs, requests },
    }),
    schedules: new Schedules({ clock, hub, state, settings }, requests, calendar, now),
    retention: new RunRetention({
      state,
      settings,
      clock,
      index,
      forget: (run) => runs.forget(run),
    }),
    host: new HostEvents({ timeline }, runs),
    tracking: new RunTracking({ settings, timeline }, runs),
    leases: new TaskLeases({ state, settings, shutdown, timeline }, runs),
    outbox: new OutboxRequests({
      ...{ state, settings, pacing, hub, hubTasks, reporters, timeline, index },
    }),
    history: new HistoryReader({ settings, hub, pacing, reporters, index }),
  };
}
