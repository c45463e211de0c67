/** Makes, finds and removes the reporters of Hub tasks: one for a task's state, and one for its links if it has any. */
import type { HubLink, HubTask } from '../model/hub-task.ts';
import { hubLinksKey, hubTaskKey } from '../scheduling/reporter-keys.ts';
import { addLinks } from './links.ts';
import { HubLinksReporter } from './links-reporter.ts';
import type { HubLinksParts } from './links-reporter.ts';
import { HubTaskReporter } from './task-reporter.ts';
import type { HubTaskParts } from './task-reporter.ts';

export class HubTaskReporters {
  readonly #parts: HubTaskParts & HubLinksParts;

  constructor(parts: HubTaskParts & HubLinksParts) {
    this.#parts = parts;
  }

  /** The task has something to report, or will have. */
  ensure(task: HubTask): void {
    const { reporters } = this.#parts;
    if (reporters.get(hubTaskKey(task.name)) === undefined) {
      reporters.add(new HubTaskReporter(this.#parts, task));
    }
    this.addLinks(task, []);
  }

  /** Most tasks have no links, so their reporter is made with the first one. */
  addLinks(task: HubTask, links: readonly HubLink[]): void {
    addLinks(task, links);
    const { reporters } = this.#parts;
    if (task.links.length === 0 || reporters.get(hubLinksKey(task.name)) !== undefined) return;
    reporters.add(new HubLinksReporter(this.#parts, task));
  }

  touch(task: string): void {
    this.#parts.reporters.touch(hubTaskKey(task));
    this.#parts.reporters.touch(hubLinksKey(task));
  }

  /** An operator wants the task's pending reports tried again now. */
  retry(task: HubTask): void {
    this.ensure(task);
    const { reporters } = this.#parts;
    reporters.get(hubTaskKey(task.name))?.retry?.();
    reporters.get(hubLinksKey(task.name))?.retry?.();
    this.touch(task.name);
  }

  remove(task: string): void {
    this.#parts.reporters.remove(hubTaskKey(task));
    this.#parts.reporters.remove(hubLinksKey(task));
  }
}
