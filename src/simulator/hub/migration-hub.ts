/**
 * AWS Migration Hub: its 21 operations. The groups are in `streams.ts`, `tasks.ts`, `associations.ts` and
 * `applications.ts`. This file has what they share: the home region is checked after the form of the request, and
 * a DryRun ends before anything is changed.
 *
 * Not simulated: Application Discovery Service. Every ConfigurationId counts as known, attributes are stored but
 * not mapped, and only fault rules cause AccessDenied, Policy and Unauthorized errors.
 */
import type { Behaviour } from '../lib/behaviour.ts';
import { dryRunSucceeded } from '../lib/errors.ts';
import type { HomeRegion } from './home-region.ts';
import { applicationOperations } from './applications.ts';
import { associationOperations } from './associations.ts';
import { HubRecords } from './records.ts';
import { streamOperations } from './streams.ts';
import { taskOperations } from './tasks.ts';
import type { HubContext } from './context.ts';
import { operation } from '../lib/operation.ts';
import type { Caller, Service } from '../lib/operation.ts';
import type { Pager } from '../lib/pages.ts';

export interface MigrationHub {
  readonly service: Service;
  readonly records: HubRecords;
}

export function createMigrationHub(
  homeRegion: HomeRegion,
  behaviour: Behaviour,
  pager: Pager,
): MigrationHub {
  const records = new HubRecords();
  const refusal = 'InvalidInputException';
  const enter = (name: string, caller: Caller): void => {
    homeRegion.guard(name, caller);
    records.useRegion(homeRegion.current(), behaviour.dataAfterHomeRegionChange === 'moves');
  };
  const context: HubContext = {
    records,
    behaviour,
    pager,
    write: (name, shape, run) => [
      name,
      operation(shape, refusal, (input, caller) => {
        enter(name, caller);
        const carryOut = run(input, caller);
        if (input.DryRun === true) throw dryRunSucceeded();
        carryOut();
        return {};
      }),
    ],
    read: (name, shape, run) => [
      name,
      operation(shape, refusal, (input, caller) => {
        enter(name, caller);
        return run(input, caller);
      }),
    ],
  };
  const operations = new Map([
    ...streamOperations(context),
    ...taskOperations(context),
    ...associationOperations(context),
    ...applicationOperations(context),
  ]);
  return { service: { name: 'MigrationHub', operations }, records };
}
