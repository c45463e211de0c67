/** Events of the agent, its host and the services. */
import type { EventKind } from './event-kind.ts';

const reason = { reason: 'Why' };
const operation = { operation: 'Operation of the service' };

export const AGENT_EVENTS = {
  'hub.home_region': {
    level: 'info',
    msg: 'home region known',
    persisted: false,
    fields: { region: 'The home region of the account' },
  },
  'hub.no_home_region': {
    level: 'error',
    msg: 'no home region is set in this account',
    persisted: false,
    fields: reason,
  },
  'hub.stream_ready': {
    level: 'info',
    msg: 'progress update stream is ready',
    persisted: false,
    fields: { stream: 'Its name', region: 'The region it is in' },
  },
  'hub.feature_disabled': {
    level: 'warn',
    msg: 'policy missing; only this operation is paused',
    persisted: false,
    fields: { ...operation, ...reason },
  },
  'service.failing': {
    level: 'warn',
    msg: 'operation fails; jobs continue',
    persisted: false,
    fields: { ...operation, ...reason, outcome: 'Kind of outcome' },
  },
  'service.recovered': {
    level: 'info',
    msg: 'operation works again',
    persisted: false,
    fields: operation,
  },
  'clock.offset': {
    level: 'warn',
    msg: 'clock differs from the service',
    persisted: false,
    fields: { offsetS: 'The service’s clock minus this host’s' },
  },
  'clock.jumped': {
    level: 'warn',
    msg: 'clock was stepped or host slept',
    persisted: false,
    fields: { stepS: 'By how much' },
  },
  'host.copied': {
    level: 'error',
    msg: 'state was copied from another host; its runs are withheld',
    persisted: true,
    fields: { withheld: 'How many runs are withheld', state: 'State of the run' },
  },
  'host.claimed': {
    level: 'warn',
    msg: 'state claimed for this host by an operator',
    persisted: false,
    fields: { runs: 'How many runs were taken over', by: 'Who claimed it' },
  },
  'host.woke': {
    level: 'warn',
    msg: 'host slept or agent was stopped; pipeline tasks are reported first',
    persisted: false,
    fields: { asleepS: 'How long' },
  },
  'agent.draining': {
    level: 'info',
    msg: 'draining: no more polls',
    persisted: false,
    fields: {},
  },
  'agent.resumed': {
    level: 'info',
    msg: 'resumed: polling again',
    persisted: false,
    fields: {},
  },
  'agent.terminated': {
    level: 'warn',
    msg: 'service terminated the task runner',
    persisted: false,
    fields: { policy: 'dataPipeline.onTerminate: drain or stop' },
  },
  'settings.changed': {
    level: 'info',
    msg: 'settings applied',
    persisted: false,
    fields: { jobs: 'How many jobs the configuration has' },
  },
} as const satisfies Record<string, EventKind>;
