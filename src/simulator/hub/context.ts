/** What all groups of Migration Hub operations use. */
import type { Behaviour } from '../lib/behaviour.ts';
import type { Shape } from '../lib/constraints.ts';
import type { HubRecords } from './records.ts';
import type { Caller, Operation, Output } from '../lib/operation.ts';
import type { Pager } from '../lib/pages.ts';

export interface HubContext {
  readonly records: HubRecords;
  readonly behaviour: Behaviour;
  readonly pager: Pager;
  /** Defines an operation. `run` checks the request and returns the change, which a DryRun does not make. */
  write<T extends { readonly DryRun?: boolean }>(
    name: string,
    shape: Shape<T>,
    run: (input: T, caller: Caller) => () => void,
  ): readonly [string, Operation];
  read<T>(
    name: string,
    shape: Shape<T>,
    run: (input: T, caller: Caller) => Output,
  ): readonly [string, Operation];
}
