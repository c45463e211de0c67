/**
 * The associations of a migration task: created artifacts, discovered resources, source resources. They are three
 * maps by name; a second association with the same name replaces the first.
 */
import { createHash } from 'node:crypto';
import { resourceNotFound } from '../lib/errors.ts';
import type { MigrationTask } from './records.ts';
import { hubShapes } from './shapes.ts';
import type { DiscoveredResource } from './shapes.ts';
import type { HubContext } from './context.ts';
import type { Operation, Output } from '../lib/operation.ts';
import { defined } from '../lib/defined.ts';

/** MaxResults of these lists is at most 10 (model, for example MaxResultsCreatedArtifacts). */
const PAGE_SIZE = 10;

/** "To confirm if an association was found … call ListDiscoveredResources" (API, PutResourceAttributes). */
function withMatch(
  task: MigrationTask,
  now: number,
  matchMs: number,
): ReadonlyMap<string, DiscoveredResource> {
  const { attributes, attributesAt = Infinity, discoveredResources } = task;
  if (attributes.length === 0 || attributesAt + matchMs > now) return discoveredResources;
  const mark = createHash('sha256').update(JSON.stringify(attributes)).digest('hex').slice(0, 13);
  const id = `d-server-${mark}`;
  return new Map([...discoveredResources, [id, { ConfigurationId: id }]]);
}

interface TaskKey {
  readonly ProgressUpdateStream: string;
  readonly MigrationTaskName: string;
}

export function associationOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  return [...artifactOperations(hub), ...discoveredOperations(hub), ...sourceOperations(hub)];
}

function artifactOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  return [
    hub.write('AssociateCreatedArtifact', hubShapes.AssociateCreatedArtifact, (input, { now }) => {
      const { CreatedArtifact: artifact } = input;
      return associate(writable(hub, input, now).artifacts, artifact.Name, artifact);
    }),
    hub.write(
      'DisassociateCreatedArtifact',
      hubShapes.DisassociateCreatedArtifact,
      (input, { now }) => {
        const set = writable(hub, input, now).artifacts;
        return disassociate(set, input.CreatedArtifactName, 'created artifact');
      },
    ),
    hub.read('ListCreatedArtifacts', hubShapes.ListCreatedArtifacts, (input, { now }) =>
      pageOf(hub, 'CreatedArtifactList', input, now, (task) => task.artifacts),
    ),
  ];
}

function discoveredOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  return [
    hub.write(
      'AssociateDiscoveredResource',
      hubShapes.AssociateDiscoveredResource,
      (input, { now }) => {
        const resource = input.DiscoveredResource;
        const set = writable(hub, input, now).discoveredResources;
        return associate(set, resource.ConfigurationId, resource);
      },
    ),
    hub.write(
      'DisassociateDiscoveredResource',
      hubShapes.DisassociateDiscoveredResource,
      (input, { now }) => {
        const set = writable(hub, input, now).discoveredResources;
        return disassociate(set, input.ConfigurationId, 'discovered resource');
      },
    ),
    hub.read('ListDiscoveredResources', hubShapes.ListDiscoveredResources, (input, { now }) =>
      pageOf(hub, 'DiscoveredResourceList', input, now, (task) =>
        withMatch(task, now, hub.behaviour.attributeMatchMs),
      ),
    ),
  ];
}

function sourceOperations(hub: HubContext): readonly (readonly [string, Operation])[] {
  return [
    hub.write('AssociateSourceResource', hubShapes.AssociateSourceResource, (input, { now }) => {
      const { SourceResource: resource } = input;
      return associate(writable(hub, input, now).sourceResources, resource.Name, resource);
    }),
    hub.write(
      'DisassociateSourceResource',
      hubShapes.DisassociateSourceResource,
      (input, { now }) => {
        const set = writable(hub, input, now).sourceResources;
        return disassociate(set, input.SourceResourceName, 'source resource');
      },
    ),
    hub.read('ListSourceResources', hubShapes.ListSourceResources, (input, { now }) =>
      pageOf(hub, 'SourceResourceList', input, now, (task) => task.sourceResources),
    ),
  ];
}

function writable({ records }: HubContext, key: TaskKey, now: number): MigrationTask {
  return records.writableTask(key.ProgressUpdateStream, key.MigrationTaskName, now);
}

function associate<T>(set: Map<string, T>, name: string, item: T): () => void {
  return () => {
    set.set(name, item);
  };
}

function disassociate(set: Map<string, unknown>, name: string, what: string): () => void {
  if (!set.has(name)) throw resourceNotFound(`The ${what} ${name} of this migration task`);
  return () => {
    set.delete(name);
  };
}

function pageOf<T>(
  { records, pager }: HubContext,
  listName: string,
  input: TaskKey & { readonly NextToken?: string; readonly MaxResults?: number },
  now: number,
  pick: (task: MigrationTask) => ReadonlyMap<string, T>,
): Output {
  const task = records.task(input.ProgressUpdateStream, input.MigrationTaskName, now);
  const scope = `${listName}|${task.stream}|${task.name}`;
  const all = [...pick(task).values()];
  const page = pager.page(all, input.MaxResults ?? PAGE_SIZE, scope, input.NextToken, now);
  return { [listName]: page.items, ...defined({ NextToken: page.next }) };
}
