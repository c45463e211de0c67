/**
 * AWS Migration Hub's configuration service: the account's home region. The Hub asks this `HomeRegion`
 * before it writes.
 */
import { ACCOUNT_ID } from '../lib/account.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import { homeRegionShapes } from './shapes.ts';
import type { Target } from './shapes.ts';
import { dryRunSucceeded, invalidInput, ServiceError } from '../lib/errors.ts';
import { operation } from '../lib/operation.ts';
import type { Caller, Operation, Service } from '../lib/operation.ts';
import type { Dice } from '../lib/dice.ts';
import type { Pager } from '../lib/pages.ts';
import { defined } from '../lib/defined.ts';

const CONTROL_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const PAGE_SIZE = 100;

interface Control {
  readonly ControlId: string;
  readonly HomeRegion: string;
  readonly Target: Target;
  readonly RequestedTime: number;
}

export interface HomeRegion {
  readonly service: Service;
  current(): string | undefined;
  /** For tests and the control page: sets or, with undefined, unsets the home region. */
  set(region: string | undefined, now: number): void;
  snapshot(): Control | undefined;
  restore(earlier: Control | undefined): void;
  /**
   * "You must make API calls for write actions while in your home region … Read actions are permitted
   * outside" (API, config). Throws the error that the Hub answers to `operationName`.
   */
  guard(operationName: string, caller: Caller): void;
}

export function createHomeRegion(options: {
  readonly initial: string | undefined;
  readonly startedAt: number;
  readonly dice: Dice;
  readonly behaviour: Behaviour;
  readonly pager: Pager;
}): HomeRegion {
  const { dice, behaviour, pager } = options;
  const account: Account = { control: undefined };
  const make = (region: string, now: number): Control => ({
    ControlId: `hrc-${dice.text(CONTROL_ALPHABET, 12)}`,
    HomeRegion: region,
    Target: { Type: 'ACCOUNT', Id: ACCOUNT_ID },
    RequestedTime: now / 1_000,
  });
  if (options.initial !== undefined) account.control = make(options.initial, options.startedAt);

  return {
    service: { name: 'MigrationHubConfig', operations: operationsOn(account, make, pager) },
    current: () => account.control?.HomeRegion,
    snapshot: () => account.control,
    restore(earlier) {
      account.control = earlier;
    },
    set(region, now) {
      account.control = region === undefined ? undefined : make(region, now);
    },
    guard(operationName, caller) {
      const home = account.control?.HomeRegion;
      const isWrite = !READS.test(operationName);
      if (home === undefined) {
        if (!isWrite && behaviour.readWithoutHomeRegion === 'accept') return;
        if (!WITHOUT_HOME_REGION_ERROR.has(operationName)) throw notSet();
        if (isWrite) throw invalidInput(NOT_SET);
        return;
      }
      if (isWrite && caller.region !== undefined && caller.region !== home) {
        throw invalidInput(
          `${operationName} must be called in the home region ${home}, not in ${caller.region}.`,
        );
      }
    },
  };
}

/** One account has at most one control. */
interface Account {
  control: Control | undefined;
}

function operationsOn(
  account: Account,
  make: (region: string, now: number) => Control,
  pager: Pager,
): ReadonlyMap<string, Operation> {
  const refusal = 'InvalidInputException';
  return new Map([
    [
      'GetHomeRegion',
      operation(homeRegionShapes.GetHomeRegion, refusal, () =>
        // "Returns the calling account's home region, if configured". Otherwise the answer does not have the member.
        defined({ HomeRegion: account.control?.HomeRegion }),
      ),
    ],
    [
      'CreateHomeRegionControl',
      operation(homeRegionShapes.CreateHomeRegionControl, refusal, (input, caller) => {
        const { control } = account;
        if (input.Target.Id !== undefined && input.Target.Id !== ACCOUNT_ID) {
          throw invalidInput(`Target.Id must be the calling account, ${ACCOUNT_ID}.`);
        }
        if (control !== undefined && control.HomeRegion !== input.HomeRegion) {
          throw invalidInput(`The home region is already set to ${control.HomeRegion}.`);
        }
        if (input.DryRun === true) throw dryRunSucceeded();
        account.control ??= make(input.HomeRegion, caller.now);
        return { HomeRegionControl: account.control };
      }),
    ],
    [
      'DescribeHomeRegionControls',
      operation(homeRegionShapes.DescribeHomeRegionControls, refusal, (input, caller) => {
        const all = account.control === undefined ? [] : [account.control];
        const matching = all.filter(
          (each) =>
            (input.ControlId ?? each.ControlId) === each.ControlId &&
            (input.HomeRegion ?? each.HomeRegion) === each.HomeRegion &&
            (input.Target?.Id ?? each.Target.Id) === each.Target.Id,
        );
        const scope = `DescribeHomeRegionControls|${JSON.stringify([input.ControlId, input.HomeRegion, input.Target])}`;
        const size = input.MaxResults ?? PAGE_SIZE;
        const page = pager.page(matching, size, scope, input.NextToken, caller.now);
        return { HomeRegionControls: page.items, ...defined({ NextToken: page.next }) };
      }),
    ],
    [
      'DeleteHomeRegionControl',
      operation(homeRegionShapes.DeleteHomeRegionControl, refusal, (input) => {
        if (account.control?.ControlId !== input.ControlId) {
          throw invalidInput(`The home region control ${input.ControlId} does not exist.`);
        }
        account.control = undefined;
        return {};
      }),
    ],
  ]);
}

/** "Read actions (list, describe, stop, delete)" (API, config). */
const READS = /^(List|Describe|Delete)/;

/** The operations that do not have HomeRegionNotSetException in the model. */
const WITHOUT_HOME_REGION_ERROR: ReadonlySet<string> = new Set([
  'AssociateSourceResource',
  'DisassociateSourceResource',
  'ListSourceResources',
  'ListMigrationTaskUpdates',
]);

/** The message of the real service, as a public bug report quotes it. */
const NOT_SET =
  'Your home region is not set. Before calling AWS Migration Hub APIs, set your home region with CreateHomeRegionControl.';

function notSet(): ServiceError {
  return new ServiceError('HomeRegionNotSetException', NOT_SET);
}
