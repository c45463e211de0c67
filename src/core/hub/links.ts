/** Which links a run has, and how they join those that wait. */
import type { HubLink, HubTask } from '../model/hub-task.ts';
import type { HubJobSettings } from '../model/job.ts';

/** Links of a run that begins. Attributes come first: without them the console maps the task to no server. */
export function linksAtStart(hub: HubJobSettings): HubLink[] {
  const links: HubLink[] = [];
  if (hub.resourceAttributes.length > 0) {
    links.push({ operation: 'PutResourceAttributes', attributes: hub.resourceAttributes });
  }
  if (hub.discoveredResource !== undefined) {
    const configurationId = hub.discoveredResource;
    links.push({ operation: 'AssociateDiscoveredResource', configurationId });
  }
  for (const source of hub.sourceResources) {
    links.push({ operation: 'AssociateSourceResource', ...source });
  }
  links.push(...applicationLink(hub, 'IN_PROGRESS'));
  return links;
}

/** Links of a run that has succeeded. */
export function linksAtSuccess(hub: HubJobSettings): HubLink[] {
  const artifacts = hub.artifacts.map((artifact): HubLink => {
    return { operation: 'AssociateCreatedArtifact', artifact };
  });
  return [...artifacts, ...applicationLink(hub, 'COMPLETED')];
}

/**
 * Adds links to those that wait. One that waits already is not added twice, and of an application only the newest state
 * counts: the runs of a year may come and go while a permission is missing.
 */
export function addLinks(task: HubTask, links: readonly HubLink[]): void {
  for (const link of links) {
    if (link.operation === 'NotifyApplicationState') {
      task.links = task.links.filter(
        (one) => one.operation !== link.operation || one.application !== link.application,
      );
    } else if (task.links.some((one) => isSame(one, link))) {
      continue;
    }
    task.links.push(link);
  }
}

function isSame(a: HubLink, b: HubLink): boolean {
  return a.operation === b.operation && JSON.stringify(a) === JSON.stringify(b);
}

function applicationLink(hub: HubJobSettings, status: 'IN_PROGRESS' | 'COMPLETED'): HubLink[] {
  const { application } = hub;
  if (application === undefined) return [];
  return [{ operation: 'NotifyApplicationState', application, status }];
}
