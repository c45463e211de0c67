/** Where GetHomeRegion is asked: in the configured region if Migration Hub is offered there. */
import { expect, test } from 'vitest';
import { hubRegionNear } from '../../../src/aws/client/options.ts';

test.each([
  ['eu-central-1', 'eu-central-1'],
  ['us-east-1', 'us-east-1'],
  ['us-west-2', 'us-west-2'],
  ['eu-north-1', 'us-west-2'],
  ['us-gov-west-1', 'us-west-2'],
  ['', 'us-west-2'],
  [undefined, 'us-west-2'],
])('near %s it is %s', (region, hub) => {
  expect(hubRegionNear(region)).toBe(hub);
});
