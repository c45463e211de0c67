/** The task runners that gave a sign of life, and what their next heartbeat is answered. */

export interface RunnersSnapshot {
  readonly heardAt: Map<string, number>;
  readonly terminating: Set<string>;
  readonly isTerminatingAll: boolean;
}

/** Task runners by the id they gave, and which of them are to terminate. */
export class RunnerRegister {
  #heardAt = new Map<string, number>();
  #terminating = new Set<string>();
  #isTerminatingAll = false;

  snapshot(): RunnersSnapshot {
    return {
      heardAt: this.#heardAt,
      terminating: this.#terminating,
      isTerminatingAll: this.#isTerminatingAll,
    };
  }

  restore(earlier: RunnersSnapshot): void {
    this.#heardAt = earlier.heardAt;
    this.#terminating = earlier.terminating;
    this.#isTerminatingAll = earlier.isTerminatingAll;
  }

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
