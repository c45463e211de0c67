/** Which links a run has, and how they join those that wait. */
import { describe, expect, test } from 'vitest';
import { addLinks, linksAtStart, linksAtSuccess } from '../../../src/core/hub/links.ts';
import type { HubLink } from '../../../src/core/model/hub-task.ts';
import { aTask } from '../../support/desk.ts';
import { HUB_JOB } from '../../support/settings.ts';

const ATTRIBUTE = { type: 'FQDN', value: 'a.example.com' };
const FULL = {
  ...HUB_JOB,
  resourceAttributes: [ATTRIBUTE],
  discoveredResource: 'd-server-1',
  sourceResources: [{ name: 'db', description: 'the old one' }],
  artifacts: ['arn:a', 'arn:b'],
  application: 'app',
};
const artifact = (name: string): HubLink => ({
  ...{ operation: 'AssociateCreatedArtifact', artifact: name },
});
const application = (name: string, status: 'IN_PROGRESS' | 'COMPLETED'): HubLink => ({
  ...{ operation: 'NotifyApplicationState', application: name, status },
});

test('a job without anything else to report has no links', () => {
  expect([linksAtStart(HUB_JOB), linksAtSuccess(HUB_JOB)]).toEqual([[], []]);
});

test('a run begins with its attributes, resources and the state of its application, in this order', () => {
  expect(linksAtStart(FULL)).toEqual([
    { operation: 'PutResourceAttributes', attributes: [ATTRIBUTE] },
    { operation: 'AssociateDiscoveredResource', configurationId: 'd-server-1' },
    { operation: 'AssociateSourceResource', name: 'db', description: 'the old one' },
    application('app', 'IN_PROGRESS'),
  ]);
});

test('a run that succeeded has its artifacts and the end of its application', () => {
  expect(linksAtSuccess(FULL)).toEqual([
    ...[artifact('arn:a'), artifact('arn:b'), application('app', 'COMPLETED')],
  ]);
});

describe('links that join those that wait', () => {
  function joined(waiting: readonly HubLink[], links: readonly HubLink[]): HubLink[] {
    const task = aTask({ links: [...waiting] });
    addLinks(task, links);
    return task.links;
  }

  test('one that waits already is not added twice', () => {
    expect(joined([artifact('arn:a')], [artifact('arn:a'), artifact('arn:b')])).toEqual([
      ...[artifact('arn:a'), artifact('arn:b')],
    ]);
  });

  test('only the newest state of an application counts, and of another one nothing is lost', () => {
    const waiting = [
      ...[application('app', 'IN_PROGRESS'), application('other', 'IN_PROGRESS')],
      artifact('arn:a'),
    ];
    expect(joined(waiting, [application('app', 'COMPLETED')])).toEqual([
      ...[application('other', 'IN_PROGRESS'), artifact('arn:a'), application('app', 'COMPLETED')],
    ]);
    expect(joined([], [application('a', 'COMPLETED'), application('b', 'COMPLETED')])).toHaveLength(
      2,
    );
  });
});
