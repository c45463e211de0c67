/**
 * AWS Migration Hub's configuration service: the account's home region. The Hub asks `HomeRegion` here
 * before it writes. One account, so at most one control.
 */
import { ACCOUNT_ID } from '../lib/account.ts';
import type { Behaviour } from '../lib/behaviour.ts';
import { homeRegionShapes } from './shapes.ts';
import type { Target } from './shapes.ts';
import { dryRunSucceeded, invalidInput, ServiceError } from '../lib/errors.ts';
import { operation } from '../lib/operation.ts';
import type { Caller, Service } from '../lib/operation.ts';
import type { Dice } from '../lib/dice.ts';
import type { Pager } from '../lib/pages.ts';

const CONTROL_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const PAGE_SIZE = 100;

export interface Control {
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
   * outside" (API, config). Throws what the Hub answers to `operationName`.
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
  let control: Control | undefined;

  const account: Target = { Type: 'ACCOUNT', Id: ACCOUNT_ID };
  const make = (region: string, now: number): Control => ({
    ControlId: `hrc-${dice.text(CONTROL_ALPHABET, 12)}`,
    HomeRegion: region,
    Target: account,
    RequestedTime: now / 1_000,
  });
  if (options.initial !== undefined) control = make(options.initial, options.startedAt);

  const refused = 'InvalidInputException';
  const operations = new Map([
    [
      'GetHomeRegion',
      operation(homeRegionShapes.GetHomeRegion, refused, () =>
        // "Returns the calling account's home region, if configured": else an answer without the member.
        control === undefined ? {} : { HomeRegion: control.HomeRegion },
      ),
    ],
    [
      'CreateHomeRegionControl',
      operation(homeRegionShapes.CreateHomeRegionControl, refused, (input, caller) => {
        if (input.Target.Id !== undefined && input.Target.Id !== ACCOUNT_ID) {
          throw invalidInput(`Target.Id must be the calling account, ${ACCOUNT_ID}.`);
        }
        if (control !== undefined && control.HomeRegion !== input.HomeRegion) {
          throw invalidInput(`The home region is already set to ${control.HomeRegion}.`);
        }
        if (input.DryRun === true) throw dryRunSucceeded();
        control ??= make(input.HomeRegion, caller.now);
        return { HomeRegionControl: control };
      }),
    ],
    [
      'DescribeHomeRegionControls',
      operation(homeRegionShapes.DescribeHomeRegionControls, refused, (input, caller) => {
        const all = control === undefined ? [] : [control];
        const matching = all.filter(
          (each) =>
            (input.ControlId ?? each.ControlId) === each.ControlId &&
            (input.HomeRegion ?? each.HomeRegion) === each.HomeRegion &&
            (input.Target?.Id ?? each.Target.Id) === each.Target.Id,
        );
        const scope = `DescribeHomeRegionControls|${JSON.stringify([input.ControlId, input.HomeRegion, input.Target])}`;
        const size = input.MaxResults ?? PAGE_SIZE;
        const page = pager.page(matching, size, scope, input.NextToken, caller.now);
        return {
          HomeRegionControls: page.items,
          ...(page.next === undefined ? {} : { NextToken: page.next }),
        };
      }),
    ],
    [
      'DeleteHomeRegionControl',
      operation(homeRegionShapes.DeleteHomeRegionControl, refused, (input) => {
        if (control?.ControlId !== input.ControlId) {
          throw invalidInput(`The home region control ${input.ControlId} does not exist.`);
        }
        control = undefined;
        return {};
      }),
    ],
  ]);

  return {
    service: { name: 'MigrationHubConfig', operations },
    current: () => control?.HomeRegion,
    snapshot: () => control,
    restore(earlier) {
      control = earlier;
    },
    set(region, now) {
      control = region === undefined ? undefined : make(region, now);
    },
    guard(operationName, caller) {
      const isWrite = !READS.test(operationName);
      if (control === undefined) {
        if (!isWrite && behaviour.readWithoutHomeRegion === 'accept') return;
        if (!WITHOUT_HOME_REGION_ERROR.has(operationName)) throw notSet();
        if (isWrite) throw invalidInput(NOT_SET);
        return;
      }
      if (isWrite && caller.region !== undefined && caller.region !== control.HomeRegion) {
        throw invalidInput(
          `${operationName} must be called in the home region ${control.HomeRegion}, not in ${caller.region}.`,
        );
      }
    },
  };
}

/** "Read actions (list, describe, stop, delete)" (API, config). */
const READS = /^(List|Describe|Delete)/;

/** The operations whose errors do not name HomeRegionNotSetException in the model. */
const WITHOUT_HOME_REGION_ERROR: ReadonlySet<string> = new Set([
  'AssociateSourceResource',
  'DisassociateSourceResource',
  'ListSourceResources',
  'ListMigrationTaskUpdates',
]);

/** The words of the live service, as a public bug report quotes them. */
const NOT_SET =
  'Your home region is not set. Before calling AWS Migration Hub APIs, set your home region with CreateHomeRegionControl.';

function notSet(): ServiceError {
  return new ServiceError('HomeRegionNotSetException', NOT_SET);
}
