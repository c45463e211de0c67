/**
 * The simulator's own HTTP side, under /_simulator/: what it saw, and levers to pull while it runs.
 *
 *   GET  /_simulator/            the audit as a page
 *   GET  /_simulator/audit | journal | state
 *   POST /_simulator/faults      { "add": [rule, …] }, { "clear": true }, or both (cleared first)
 *   POST /_simulator/terminate   { "taskRunnerId": "…" | "all", "terminate": true }
 *   POST /_simulator/limits      { "NotifyMigrationTaskState": { "perSecond": 1, "burst": 5 } }; null: none
 *   POST /_simulator/home-region { "region": "eu-central-1" }; null unsets it
 *   POST /_simulator/submit      { "name", "workerGroup", "command", "scriptArguments", "fields" }
 *   POST /_simulator/cancel      { "pipelineId": "df-…" }
 */
import { z } from 'zod';
import { ServiceError } from './errors.ts';
import { faultRuleSchema } from './faults.ts';
import { page } from './page.ts';
import type { Simulator } from './simulator-interface.ts';

/** The simulator, apart from what starts and ends it. */
export type ControlledSimulator = Omit<Simulator, 'listen' | 'close'>;

export interface ControlAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const rateLimit = z.strictObject({ perSecond: z.number().positive(), burst: z.number().min(1) });
const bodies = {
  faults: z.strictObject({
    clear: z.boolean().optional(),
    add: z.array(faultRuleSchema).optional(),
  }),
  terminate: z.strictObject({ taskRunnerId: z.string().min(1), terminate: z.boolean().optional() }),
  limits: z.record(z.string(), rateLimit.nullable()),
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
  path: string,
  body: string,
): ControlAnswer {
  const name = path.replace(/^\/_simulator\/?/, '').replace(/\/$/, '');
  if (method === 'GET') return shown(simulator, name);
  if (method !== 'POST') return json(405, { message: `${method} is not known here.` });
  try {
    return changed(simulator, name, JSON.parse(body === '' ? '{}' : body));
  } catch (error) {
    if (error instanceof z.ZodError) return json(400, { message: z.prettifyError(error) });
    if (error instanceof SyntaxError) return json(400, { message: 'The body is not valid JSON.' });
    if (error instanceof ServiceError) return json(error.status, { message: error.message });
    throw error;
  }
}

function shown(simulator: ControlledSimulator, name: string): ControlAnswer {
  switch (name) {
    case '':
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        text: page(simulator.audit(), simulator.state()),
      };
    case 'audit':
      return json(200, simulator.audit());
    case 'journal':
      return json(200, simulator.journal());
    case 'state':
      return json(200, simulator.state());
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

function json(status: number, value: unknown): ControlAnswer {
  return { status, type: 'application/json', text: `${JSON.stringify(value)}\n` };
}
