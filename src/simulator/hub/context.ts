/** What the groups of Migration Hub operations share. */
import type { Behaviour } from '../lib/behaviour.ts';
import type { Shape } from '../lib/constraints.ts';
import type { HubRecords } from './records.ts';
import type { Caller, Operation, Output } from '../lib/operation.ts';
import type { Pager } from '../lib/pages.ts';

export interface HubContext {
  readonly records: HubRecords;
  readonly behaviour: Behaviour;
  readonly pager: Pager;
  /** Binds an operation. `run` checks first and returns what is to be done, which a DryRun leaves undone. */
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
