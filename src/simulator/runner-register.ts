/** The task runners that gave a sign of life, and what their next heartbeat is answered. */

/** Task runners by the id they gave, and which of them are to terminate. */
export class RunnerRegister {
  readonly #heardAt = new Map<string, number>();
  readonly #terminating = new Set<string>();
  #isTerminatingAll = false;

  /** A runner's id, or `all`. */
  setTerminate(taskRunnerId: string, terminate: boolean): void {
    if (taskRunnerId === 'all') this.#isTerminatingAll = terminate;
    else if (terminate) this.#terminating.add(taskRunnerId);
    else this.#terminating.delete(taskRunnerId);
  }

  /** Whether the runner is to terminate. */
  heard(taskRunnerId: string, now: number): boolean {
    this.#heardAt.set(taskRunnerId, now);
    return this.#isTerminatingAll || this.#terminating.has(taskRunnerId);
  }

  list(): readonly { readonly taskRunnerId: string; readonly heardAt: number }[] {
    return [...this.#heardAt].map(([taskRunnerId, heardAt]) => ({ taskRunnerId, heardAt }));
  }
}
