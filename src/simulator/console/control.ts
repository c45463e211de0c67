/**
 * The simulator's own HTTP API, below /_simulator/: to read what it recorded, and to change it while it runs.
 *
 *   GET  /_simulator/            the audit as a page; /_simulator/calls the journal as one
 *   GET  /_simulator/audit | journal | state | switches
 *                                journal and calls take ?operation=…&errors&last=100&after=NUMBER
 *   POST /_simulator/faults      { "add": [rule, …] }, { "clear": true }, or both (cleared first)
 *   POST /_simulator/terminate   { "taskRunnerId": "…" | "all", "terminate": true }
 *   POST /_simulator/limits      { "NotifyMigrationTaskState": { "perSecond": 1, "burst": 5 } }; null: no limit
 *   POST /_simulator/switches    { "reportAfterLapse": "canceled", "progressMs": "5m" }
 *   POST /_simulator/home-region { "region": "eu-central-1" }; null: none
 *   POST /_simulator/submit      { "name", "workerGroup", "command", "scriptArguments", "fields" }
 *   POST /_simulator/cancel      { "pipelineId": "df-…" }
 */
import * as z from 'zod';
import { ServiceError } from '../lib/errors.ts';
import { faultRuleSchema } from '../faults/rule.ts';
import { filterJournal } from '../audit/journal-row.ts';
import type { JournalFilter } from '../audit/journal-row.ts';
import { auditPage, callsPage } from './page.ts';
import { rateLimitsSchema } from '../faults/rate-limits.ts';
import type { Simulator } from './interface.ts';
import { defined } from '../lib/defined.ts';

/** The simulator without the functions that start and end it. */
export type ControlledSimulator = Omit<Simulator, 'listen' | 'close'>;

interface ControlAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const bodies = {
  faults: z.strictObject({
    clear: z.boolean().optional(),
    add: z.array(faultRuleSchema).optional(),
  }),
  terminate: z.strictObject({ taskRunnerId: z.string().min(1), terminate: z.boolean().optional() }),
  limits: rateLimitsSchema,
  switches: z.record(z.string(), z.union([z.string(), z.number()])),
  homeRegion: z.strictObject({ region: z.string().min(1).nullable() }),
  submit: z.strictObject({
    name: z.string().min(1),
    workerGroup: z.string(),
    command: z.string().min(1),
    scriptArguments: z.array(z.string()).default([]),
    fields: z.record(z.string(), z.string()).default({}),
  }),
  cancel: z.strictObject({ pipelineId: z.string().min(1) }),
};

export function controlAnswer(
  simulator: ControlledSimulator,
  method: string,
  { pathname: path, searchParams: query }: URL,
  body: string,
): ControlAnswer {
  const name = path.replace(/^\/_simulator\/?/, '').replace(/\/$/, '');
  if (method === 'GET') return shown(simulator, name, query);
  if (method !== 'POST') return json(405, { message: `The method ${method} is not supported.` });
  try {
    return changed(simulator, name, JSON.parse(body === '' ? '{}' : body));
  } catch (error) {
    if (error instanceof z.ZodError) return json(400, { message: z.prettifyError(error) });
    if (error instanceof SyntaxError) return json(400, { message: 'The body is not valid JSON.' });
    if (error instanceof ServiceError) return json(error.status, { message: error.message });
    throw error;
  }
}

function shown(
  simulator: ControlledSimulator,
  name: string,
  query: URLSearchParams,
): ControlAnswer {
  switch (name) {
    case '':
      return html(
        auditPage({
          audit: simulator.audit(),
          state: simulator.state(),
          switches: simulator.switches(),
          journal: simulator.journal(),
        }),
      );
    case 'calls': {
      const filter = { last: CALLS_ON_PAGE, ...filterOf(query) };
      const chosen = [
        filter.operation ?? 'all operations',
        ...(filter.onlyErrors ? ['errors'] : []),
      ];
      return html(callsPage(filterJournal(simulator.journal(), filter), chosen.join(', ')));
    }
    case 'audit':
      return json(200, simulator.audit());
    case 'journal':
      return json(200, filterJournal(simulator.journal(), filterOf(query)));
    case 'state':
      return json(200, simulator.state());
    case 'switches':
      return json(200, simulator.switches());
    default:
      return json(404, { message: `/_simulator/${name} does not exist.` });
  }
}

function changed(simulator: ControlledSimulator, name: string, body: unknown): ControlAnswer {
  switch (name) {
    case 'faults': {
      const { clear = false, add = [] } = bodies.faults.parse(body);
      if (clear) simulator.clearFaults();
      simulator.addFaults(add);
      return json(200, simulator.state().faults);
    }
    case 'terminate': {
      const { taskRunnerId, terminate } = bodies.terminate.parse(body);
      simulator.setTerminate(taskRunnerId, terminate);
      return json(200, {});
    }
    case 'limits':
      simulator.setLimits(bodies.limits.parse(body));
      return json(200, {});
    case 'switches': {
      const problems = simulator.setSwitches(bodies.switches.parse(body));
      if (problems.length === 0) return json(200, simulator.switches());
      return json(400, {
        message: problems.map(({ name, text }) => `${name}: ${text}`).join('\n'),
      });
    }
    case 'home-region':
      simulator.setHomeRegion(bodies.homeRegion.parse(body).region ?? undefined);
      return json(200, {});
    case 'submit':
      return json(200, simulator.submitShellActivity(bodies.submit.parse(body)));
    case 'cancel':
      return json(200, { canceled: simulator.cancel(bodies.cancel.parse(body).pipelineId) });
    default:
      return json(404, { message: `/_simulator/${name} does not exist.` });
  }
}

const CALLS_ON_PAGE = 500;

function filterOf(query: URLSearchParams): JournalFilter {
  const count = (key: string): number | undefined => {
    const text = query.get(key) ?? '';
    return /^[0-9]+$/.test(text) ? Number(text) : undefined;
  };
  const [after, last, operation] = [
    count('after'),
    count('last'),
    query.get('operation') ?? undefined,
  ];
  return {
    onlyErrors: query.has('errors'),
    ...defined({ after, last, operation }),
  };
}

function html(text: string): ControlAnswer {
  return { status: 200, type: 'text/html; charset=utf-8', text };
}

function json(status: number, value: unknown): ControlAnswer {
  return { status, type: 'application/json', text: `${JSON.stringify(value)}\n` };
}
